#!/bin/bash -eu
# ClusterFuzzLite builds what OSS-Fuzz builds.
exec "$SRC/weighlock/fuzz/oss-fuzz/build.sh"
