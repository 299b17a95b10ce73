#!/bin/bash -eu
# Builds every target of fuzz/ and packs its corpus beside it, as ClusterFuzzLite expects them.
cd "$SRC/wireproof"
cargo fuzz build --release
for target in $(cargo fuzz list); do
  cp "fuzz/target/x86_64-unknown-linux-gnu/release/$target" "$OUT/"
  zip -jqr "$OUT/${target}_seed_corpus.zip" "fuzz/corpus/$target"
done
