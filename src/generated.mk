# What the sources include of policy/, and the digest of what the child is made of. Set
# before this is included: TOP, the tree's folder; GEN, where the files go.

GENERATED := $(GEN)/rules.inc $(GEN)/limits.inc $(GEN)/pickle_allow.inc $(GEN)/build_id.inc

$(GEN)/rules.inc: $(TOP)/policy/rules.policy $(TOP)/src/base/gen_rules.awk
	@mkdir -p $(@D)
	$(Q)awk -f $(TOP)/src/base/gen_rules.awk $< > $@

$(GEN)/limits.inc: $(TOP)/policy/limits.policy $(TOP)/src/base/gen_limits.awk
	@mkdir -p $(@D)
	$(Q)awk -f $(TOP)/src/base/gen_limits.awk $< > $@

$(GEN)/pickle_allow.inc: $(TOP)/policy/pickle.allow $(TOP)/src/formats/pickle/gen_allow.awk
	@mkdir -p $(@D)
	$(Q)LC_ALL=C awk -f $(TOP)/src/formats/pickle/gen_allow.awk $< > $@

# Parent and child agree on this digest of everything the child is made of.
CHILD_MODULES := base image wire formats cage
BUILD_ID_INPUTS := $(sort $(wildcard $(TOP)/policy/*) $(wildcard $(TOP)/include/weighlock/*.h) \
    $(foreach m,$(CHILD_MODULES),$(wildcard $(TOP)/src/$(m)/*.[ch] $(TOP)/src/$(m)/*/*.[ch])))
$(GEN)/build_id.inc: $(BUILD_ID_INPUTS)
	@mkdir -p $(@D)
	$(Q)cat $(BUILD_ID_INPUTS) | sha256sum | cut -c1-64 | sed 's/../0x&,/g' > $@
