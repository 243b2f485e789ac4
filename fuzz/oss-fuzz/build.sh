#!/bin/bash -eu
# Builds every target the way OSS-Fuzz and ClusterFuzzLite ask: CC, CXX, CFLAGS,
# LIB_FUZZING_ENGINE and FUZZING_ENGINE say with what, OUT takes programs, seeds, dictionaries
# and options, WORK what lies between. FUZZ_TARGETS: some of them only. WEIGHLOCK: the sources,
# where this is a copy that lies elsewhere.
top=${WEIGHLOCK:-$(cd "$(dirname "$0")/../.." && pwd)}
if [ ! -f "$top/fuzz/Makefile" ]; then top=$SRC/weighlock; fi
work=${WORK:-$OUT/work}/weighlock
jobs=$(nproc)

# libFuzzer's hooks call libFuzzer. Other engines change bytes alone.
case ${FUZZING_ENGINE:-libfuzzer} in
    libfuzzer) hooks=engine ;;
    *) hooks=bytes ;;
esac

msgpack=-lmsgpackc # msgpack-c 5 and later have another name
if pkg-config --exists msgpack-c 2>/dev/null; then msgpack=$(pkg-config --libs msgpack-c); fi

build() { # folder, goals and variables
    local folder=$1
    shift
    make -C "$top/fuzz" -j"$jobs" OUT="$folder" \
        LIBS="$msgpack -lsodium -ljansson -lz -lbz2 -llzma -llz4 -lzstd -lm -lpthread" "$@"
}

# Where programs run, nothing is installed: what they are linked with goes beside them.
# RPATH, not RUNPATH: it holds for the libraries of libraries too.
build "$work" targets CC="$CC" LINKER="$CXX" CFLAGS="$CFLAGS" ENGINE_HOOKS=$hooks \
    LDFLAGS="-Wl,--disable-new-dtags,-rpath,'\$\$ORIGIN/lib'" LIB_FUZZING_ENGINE="$LIB_FUZZING_ENGINE" \
    ${FUZZ_TARGETS:+"TARGETS=$FUZZ_TARGETS"}

# Seeds come from the project's own tables; an installed kit has them already.
data=$top/fuzz
if [ ! -d "$data/dict" ]; then
    data=$work/plain
    build "$data" seeds CC="${SEEDS_CC:-clang}" CFLAGS=-O1 LIB_FUZZING_ENGINE=
fi

options() { # of libFuzzer, for one target: the default ones, unless it has its own
    echo '[libfuzzer]'
    for file in "$top/fuzz/options/$1" "$top/fuzz/options/default"; do
        if [ -f "$file" ]; then cat "$file"; fi
    done | awk -F ' *= *' '/^[a-z]/ && !seen[$1]++ { print $1 " = " $2 }'
    if [ -f "$OUT/fuzz_$1.dict" ]; then echo "dict = fuzz_$1.dict"; fi
}

# Every seed and every input that ever failed. Python's zipfile: no zip is needed.
corpus() { # target, archive
    python3 - "$2" "$data/seeds/$1" "$top/fuzz/seeds/$1" "$top/fuzz/regressions/$1" <<'EOF'
import hashlib, pathlib, sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as archive:
    seen = set()
    for folder in map(pathlib.Path, sys.argv[2:]):
        for file in sorted(folder.glob('*')):
            content = file.read_bytes()
            name = hashlib.sha1(content).hexdigest()
            if name not in seen:
                archive.writestr(name, content)
            seen.add(name)
EOF
}

for program in "$work"/fuzz_*; do
    target=${program##*/fuzz_}
    cp "$program" "$OUT/"
    corpus "$target" "$OUT/fuzz_${target}_seed_corpus.zip"
    if [ -f "$data/dict/$target.dict" ]; then cp "$data/dict/$target.dict" "$OUT/fuzz_$target.dict"; fi
    options "$target" >"$OUT/fuzz_$target.options"
done

mkdir -p "$OUT/lib"
ldd "$work"/fuzz_* | awk '/=> \// { print $3 }' | sort -u |
    grep -E '/lib(msgpack|sodium|jansson|bz2|lzma|lz4|zstd|z\.)' |
    xargs -r cp -Lt "$OUT/lib"
