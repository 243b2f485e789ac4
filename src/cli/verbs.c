#include "cli/cli.h"

#define OPT(name) OPTION_BIT(OPTION_##name)
#define LOADING                                                                         \
    (OPT(HELP) | OPT(JSON) | OPT(TRUST) | OPT(POLICY) | OPT(TRANSPORT) | OPT(REQUIRE) | \
     OPT(LIMIT) | OPT(UID))

const verb verbs[] = {
    {"keygen", "", 0, 0,
     OPT(HELP) | OPT(JSON) | OPT(SECRET) | OPT(PUBLIC) | OPT(UNENCRYPTED) | OPT(PASSWORD_FD) |
         OPT(TRUST),
     "make a key pair and trust it",
     "Makes a key pair in minisign's format, by default in weighlock.key and\n"
     "weighlock.pub, and puts a copy of the public key into the trust folder: that of\n"
     "--trust, else /etc/weighlock/trust if it exists, else weighlock/trust in the\n"
     "user's configuration folder. The secret key is encrypted with a password, which\n"
     "is asked for, unless --unencrypted is given. No file is ever overwritten.",
     "  weighlock keygen -s release.key -p release.pub\n"
     "  weighlock keygen -s ci.key -p ci.pub --unencrypted --trust ./trust\n",
     verb_keygen},
    {"sign", "FILE", 1, 1, LOADING | OPT(SECRET) | OPT(OUTPUT) | OPT(PASSWORD_FD),
     "sign a .wlk file",
     "Loads the model in the cage, signed or not, and only if it is valid opens the\n"
     "secret key and signs. The file is replaced in one step, or written to --output.",
     "  weighlock sign model.wlk -s release.key\n"
     "  weighlock sign upload.wlk -s release.key -o signed.wlk\n",
     verb_sign},
    {"verify", "FILE...", 1, UINT32_MAX,
     OPT(HELP) | OPT(JSON) | OPT(TRUST) | OPT(LIMIT) | OPT(ALLOW_UNSIGNED),
     "check signature and digests",
     "Checks envelope, signature and every digest of .wlk files, without parsing\n"
     "anything. A file that no trusted key vouches for is reported with exit code 7;\n"
     "with --allow-unsigned it is enough that the digests hold. Over several files the\n"
     "exit code is that of the worst.",
     "  weighlock verify model.wlk\n"
     "  weighlock verify --trust ./trust models/*.wlk\n",
     verb_verify},
    {"pack", "SPEC.json", 1, 1,
     OPT(HELP) | OPT(JSON) | OPT(OUTPUT) | OPT(SIGN) | OPT(PASSWORD_FD) | OPT(LIMIT),
     "make a .wlk file from a description",
     "Reads a JSON description of a model (docs/spec-json.md), which names .npy files\n"
     "in its own folder, and writes a .wlk file to --output, signed if --sign is given.\n"
     "The same description gives the same bytes.",
     "  weighlock pack spec.json -o model.wlk\n"
     "  weighlock pack spec.json -o model.wlk --sign release.key\n",
     verb_pack},
    {"inspect", "FILE", 1, 1, LOADING, "show what is in a model",
     "Parses the file in the cage and shows signature, metadata, tensors and graph.\n"
     "Unsigned files are shown too, and reported as such. --json shows all there is,\n"
     "but for the tensors' contents.",
     "  weighlock inspect model.wlk\n"
     "  weighlock inspect model.wlk --json\n",
     verb_inspect},
    {"predict", "MODEL ROWS", 2, 2,
     LOADING | OPT(ALLOW_UNSIGNED) | OPT(OUTPUT) | OPT(FORMAT) | OPT(HEADER) | OPT(NA) |
         OPT(SELECT) | OPT(SELFTEST),
     "run a model on rows",
     "Loads the model through the cage and runs it on the rows of a CSV or .npy file\n"
     "(told apart by content; - is standard input). In CSV, empty fields and nan are\n"
     "missing; columns are matched by name where both sides have names. Results go to\n"
     "standard output or to --output. Their columns are labels and class names; floats\n"
     "have 17 significant digits, so that nothing is lost. A .npy file holds one output:\n"
     "that of --select, or the only one.",
     "  weighlock predict model.wlk rows.csv\n"
     "  weighlock predict model.wlk rows.npy --format npy --select probabilities \\\n"
     "      -o probabilities.npy\n"
     "  weighlock predict model.wlk rows.csv --header yes --na unknown --selftest\n",
     verb_predict},
    {"doctor", "", 0, 0, OPT(HELP) | OPT(JSON) | OPT(REQUIRE) | OPT(LIMIT) | OPT(UID),
     "show which layers of the cage hold here",
     "Starts a child, locks it down, looks at it from outside, and shows each layer of\n"
     "confinement: attested (seen from outside), reported (the child's word), or why\n"
     "not. Exit code 5 if a required layer does not hold.",
     "  weighlock doctor\n"
     "  weighlock doctor --require landlock,namespaces\n",
     verb_doctor},
};

const uint32_t verb_count = sizeof verbs / sizeof *verbs;
