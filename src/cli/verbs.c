#include "cli/cli.h"

#define OPT(name) OPTION_BIT(OPTION_##name)
/* What is known of a file besides its bytes. */
#define EVIDENCE (OPT(THRESHOLD) | OPT(SHA256) | OPT(BLAKE2B) | OPT(CHECKSUMS))
#define LOADING                                                                         \
    (OPT(HELP) | OPT(JSON) | OPT(TRUST) | OPT(POLICY) | OPT(TRANSPORT) | OPT(REQUIRE) | \
     OPT(LIMIT) | OPT(UID) | OPT(EXPLAIN) | EVIDENCE)
#define KEYS (OPT(HELP) | OPT(JSON) | OPT(TRUST) | OPT(POLICY))

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
    {"sign", "FILE", 1, 1,
     LOADING | OPT(SECRET) | OPT(OUTPUT) | OPT(PASSWORD_FD) | OPT(DETACHED) | OPT(COMMENT),
     "sign a .wlk file, or any file beside it",
     "Loads the model in the cage, signed or not, and only if it is valid opens the\n"
     "secret key and signs. The file is replaced in one step, or written to --output.\n"
     "With --detached the signature goes to a file of its own, which minisign reads too:\n"
     "beside a .wlk file FILE.KEYID.minisig, one a key; beside any other file, of which\n"
     "nothing is parsed, FILE.minisig; or --output. With --threshold only what so many\n"
     "trusted keys have signed already is signed.",
     "  weighlock sign model.wlk -s release.key\n"
     "  weighlock sign upload.wlk -s release.key -o signed.wlk\n"
     "  weighlock sign weights.onnx -s release.key --detached -t 'release 1.2'\n",
     verb_sign},
    {"verify", "FILE...", 1, UINT32_MAX,
     OPT(HELP) | OPT(JSON) | OPT(TRUST) | OPT(PUBLIC) | OPT(POLICY) | OPT(LIMIT) | EVIDENCE |
         OPT(ALLOW_UNSIGNED) | OPT(STDIN0),
     "check signatures and digests",
     "Checks envelope, signature and every digest of .wlk files; of any file the detached\n"
     "signatures beside it (FILE.minisig, FILE.KEYID.minisig) and the digests that are\n"
     "given; without parsing anything. What fewer trusted keys vouch for than --threshold,\n"
     "or the policy, wants is reported with exit code 7; with --allow-unsigned it is enough\n"
     "that the digests hold. A digest says which bytes, not who made them. --public is one\n"
     "key to be trusted instead of a folder. Over several files the exit code is that of\n"
     "the worst.",
     "  weighlock verify model.wlk\n"
     "  weighlock verify --trust ./trust models/*.wlk\n"
     "  weighlock verify weights.onnx -p release.pub\n"
     "  weighlock verify --checksums SHA256SUMS model.wlk weights.onnx\n"
     "  find models -name '*.wlk' -print0 | weighlock verify --stdin0\n",
     verb_verify},
    {"pack", "SPEC.json", 1, 1,
     OPT(HELP) | OPT(JSON) | OPT(OUTPUT) | OPT(SIGN) | OPT(COMPRESS) | OPT(PASSWORD_FD) |
         OPT(LIMIT),
     "make a .wlk file from a description",
     "Reads a JSON description of a model (docs/spec-json.md), which names .npy files\n"
     "in its own folder, and writes a .wlk file to --output, signed if --sign is given.\n"
     "The same description gives the same bytes.",
     "  weighlock pack spec.json -o model.wlk\n"
     "  weighlock pack spec.json -o model.wlk --sign release.key\n",
     verb_pack},
    {"convert", "MODEL", 1, 1,
     LOADING | OPT(ALLOW_UNSIGNED) | OPT(OUTPUT) | OPT(SIGN) | OPT(PASSWORD_FD) | OPT(TO) |
         OPT(COMPRESS) | OPT(GOLDEN) | OPT(HEADER) | OPT(NA) | OPT(IGNORE_UNKNOWN),
     "write a model as .wlk, .npz or ONNX",
     "Loads a model of any format through the cage (a pickle or joblib file of\n"
     "scikit-learn, ONNX, .npy, .wlk) and writes it to --output: as a .wlk file, signed if\n"
     "--sign is given, or, as --to or the name's end says, its tensors as .npz, or its\n"
     "graph as ONNX. So an upload, taken in with --allow-unsigned, goes out again.\n"
     "Predictions are the same, bit for bit. --compress makes the file smaller. --selftest\n"
     "predicts rows, keeps both as golden rows, and runs those of the written file, which is\n"
     "removed if they do not hold. Metadata say which file it was. The secret key is opened\n"
     "only when the model stands. What a form cannot hold is refused by name.",
     "  weighlock convert model.joblib --allow-unsigned -o model.wlk --compress\n"
     "  weighlock convert model.joblib --allow-unsigned -o model.wlk --selftest rows.csv \\\n"
     "      --sign release.key\n"
     "  weighlock convert upload.onnx --allow-unsigned -o model.wlk --sign release.key\n"
     "  weighlock convert release.onnx -o model.wlk --sign release.key\n"
     "  weighlock convert upload.wlk --allow-unsigned -o signed.wlk --sign release.key\n"
     "  weighlock convert model.wlk -o model.onnx\n",
     verb_convert},
    {"inspect", "FILE", 1, 1, LOADING | OPT(STDIN0), "show what is in a model",
     "Parses the file in the cage and shows signature, metadata, tensors and graph.\n"
     "Unsigned files are shown too, and reported as such, unless --threshold is given.\n"
     "--json shows all there is, but for the tensors' contents.",
     "  weighlock inspect model.wlk\n"
     "  weighlock inspect model.wlk --json\n"
     "  find models -name '*.wlk' -print0 | weighlock inspect --stdin0\n",
     verb_inspect},
    {"predict", "MODEL [ROWS]", 1, 2,
     LOADING | OPT(ALLOW_UNSIGNED) | OPT(INPUT) | OPT(OUTPUT) | OPT(FORMAT) | OPT(HEADER) |
         OPT(NA) | OPT(IGNORE_UNKNOWN) | OPT(SELECT) | OPT(SELFTEST) | OPT(THREADS),
     "run a model on rows",
     "Loads the model through the cage and runs it on the rows of a CSV or .npy file\n"
     "(told apart by content; - is standard input). In CSV, empty fields and nan are\n"
     "missing; columns are matched by name where both sides have names. --input gives one\n"
     "input of the model a .npy file of its own, of any shape; a sequence takes several.\n"
     "Results go to standard output or to --output. Their columns are labels, class names\n"
     "and the keys of maps; floats have 17 significant digits, so that nothing is lost.\n"
     "Sequences have no columns: take --format json. A .npy file holds one output: that of\n"
     "--select, or the only one.",
     "  weighlock predict model.wlk rows.csv\n"
     "  weighlock predict upload.onnx --allow-unsigned --input X=rows.npy --format json\n"
     "  weighlock predict model.wlk rows.npy --format npy --select probabilities \\\n"
     "      -o probabilities.npy\n"
     "  weighlock predict model.wlk rows.csv --header yes --na unknown --selftest\n",
     verb_predict},
    {"extract", "MODEL", 1, 1, LOADING | OPT(ALLOW_UNSIGNED) | OPT(OUTPUT) | OPT(TENSOR),
     "write tensors as .npy or .npz",
     "Writes tensors of a model for NumPy: one to a .npy file (or to standard output,\n"
     "--output -), several or all of them to a .npz file. What NumPy has no type for\n"
     "becomes integers of the elements' bits, and is reported. In a .npz file a tensor's\n"
     "name is percent-encoded, so that it is never a path. Of a .wlk file that only its\n"
     "own signature vouches for, no more is read than the tensors that are asked for.",
     "  weighlock extract model.wlk --tensor coefficients -o coefficients.npy\n"
     "  weighlock extract model.wlk --tensor mean --tensor scale -o scaler.npz\n"
     "  weighlock extract model.wlk -o weights.npz --json\n",
     verb_extract},
    {"meta get", "FILE [PATH]", 1, 2, LOADING, "show metadata as JSON",
     "Shows what a .wlk file says of itself, or what is at PATH of it, a JSON Pointer\n"
     "(RFC 6901). Unsigned files are shown too. Tensors are not read.",
     "  weighlock meta get model.wlk\n"
     "  weighlock meta get model.wlk /metadata/metrics/accuracy\n",
     verb_meta_get},
    {"meta set", "FILE [EDIT...]", 1, UINT32_MAX,
     LOADING | OPT(ALLOW_UNSIGNED) | OPT(OUTPUT) | OPT(SECRET) | OPT(UNSIGNED) | OPT(PASSWORD_FD) |
         OPT(REMOVE),
     "change metadata and sign again",
     "An EDIT is PATH=TEXT, which sets a text, or PATH:=JSON; PATH is a JSON Pointer, and\n"
     "/metadata/tags/- appends to a list. What --remove names is removed first. The\n"
     "file is changed where it lies, in milliseconds whatever its size, as far as there is\n"
     "room before its data; --output writes a whole new file instead. The secret key is\n"
     "opened only when everything else holds. While the file is written, the bytes that\n"
     "are replaced are kept in FILE.undo.",
     "  weighlock meta set model.wlk /version=1.1 -s release.key\n"
     "  weighlock meta set model.wlk /metadata/metrics/accuracy:=0.97 \\\n"
     "      /metadata/tags/-=reviewed --remove /x-draft -s release.key\n"
     "  weighlock meta set model.wlk /version=1.1 --unsigned -o new.wlk\n",
     verb_meta_set},
    {"doctor", "", 0, 0, OPT(HELP) | OPT(JSON) | OPT(REQUIRE) | OPT(LIMIT) | OPT(UID),
     "show which layers of the cage hold here",
     "Starts a child, locks it down, looks at it from outside, and shows each layer of\n"
     "confinement: attested (seen from outside), reported (the child's word), or why\n"
     "not, and what to do about it. Then it loads a small model. The last line says whether\n"
     "models can be loaded here. Exit code 5 if a required layer does not hold.",
     "  weighlock doctor\n"
     "  weighlock doctor --require landlock,namespaces\n",
     verb_doctor},
    {"policy", "", 0, 0,
     OPT(HELP) | OPT(JSON) | OPT(POLICY) | OPT(LIMIT) | OPT(THRESHOLD) | OPT(SYSCALLS) | OPT(PFC),
     "show the policy in force",
     "Shows limits, trust and audit rules as they are in force: the defaults, over them\n"
     "the file of --policy, else /etc/weighlock/policy.conf if it exists, over that\n"
     "--limit and --threshold. What is shown is a policy file itself (weighlock-policy(5)):\n"
     "saved and named with --policy, by you and writable by nobody else, it means the same.\n"
     "--syscalls and --pfc show the other policy, which is compiled in: what the confined\n"
     "child's filter lets through.",
     "  weighlock policy --json\n"
     "  weighlock policy --limit nodes=1000 > strict.conf && \\\n"
     "      weighlock inspect model.wlk --policy strict.conf\n"
     "  weighlock policy --syscalls\n"
     "  weighlock policy --pfc\n",
     verb_policy},
    {"trust add", "KEY.pub", 1, 1, KEYS | OPT(NAME) | OPT(FROM) | OPT(UNTIL), "trust a public key",
     "Puts a public key of minisign's format into the trust folder, under the name of its\n"
     "file or --name. The dates are the first and the last day on which it counts; without\n"
     "them it always does. The folder is made if it does not exist.",
     "  weighlock trust add release.pub\n"
     "  weighlock trust add release.pub --name team --until 2030-12-31 --trust ./keys\n",
     verb_trust_add},
    {"trust list", "", 0, 0, KEYS, "show the keys of the trust folder",
     "Shows each key of the trust folder: its number, whether it counts today (counts,\n"
     "not-yet, expired, revoked), its dates and its name.",
     "  weighlock trust list\n"
     "  weighlock trust list --trust ./trust --json\n",
     verb_trust_list},
    {"trust revoke", "NAME|NUMBER", 1, 1, KEYS, "trust a key no longer",
     "Marks the key of that name or number (16 hexadecimal digits) as revoked today. It\n"
     "stays in the folder, so that what it signs is known for what it is: whatever the\n"
     "date, a revoked key vouches for nothing.",
     "  weighlock trust revoke release --trust ./trust\n"
     "  weighlock trust revoke 0807060504030201\n",
     verb_trust_revoke},
    {"trust check", "", 0, 0, KEYS, "is the trust folder usable today?",
     "Opens the trust folder as a load would and shows each key and whether it counts\n"
     "today; warns of keys that count for 30 more days or less. Exit code 7 if the folder\n"
     "is not sound, or if no key in it counts.",
     "  weighlock trust check\n"
     "  weighlock trust check --trust ./trust --json\n",
     verb_trust_check},
    {"completion", "bash|zsh|fish", 1, 1, OPT(HELP), "write a shell's completion script",
     "Writes a script that completes verbs, options and their values at the prompt of\n"
     "that shell. An installed Weighlock brings them already.",
     "  weighlock completion bash > weighlock.bash\n"
     "  weighlock completion fish > weighlock.fish\n",
     verb_completion},
};

const uint32_t verb_count = sizeof verbs / sizeof *verbs;
