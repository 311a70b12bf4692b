#!/usr/bin/env bash
# Runs the drivers that print ratios, one after the other. Arguments: names of those to run, all by default.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$root"
clip="$cache/clips/vtest.avi"
prepared="$cache/clips/prepared"
names=("$@")
[ "${#names[@]}" -gt 0 ] || names=(pipeline preprocess latency decode_cost outbox_rate memory false_alarms)

cargo build --workspace --all-targets
examples="${CARGO_TARGET_DIR:-target}/debug/examples"
for name in "${names[@]}"; do
    printf '\n== %s\n' "$name"
    case "$name" in
    pipeline)
        for threads in 1 2; do
            "$examples/throughput" --onnxruntime "$cache/onnxruntime/libonnxruntime.so" --model models/site-ppe --threads "$threads"
        done
        ;;
    preprocess) "$examples/preprocess_rate" --model models/site-ppe ;;
    latency) "$examples/latency" "$cache/onnxruntime/libonnxruntime.so" models/site-ppe ;;
    outbox_rate) "$examples/outbox_rate" ;;
    false_alarms)
        # Half a minute of each scene; an hour of footage with SECONDS_PER_SCENE=450.
        "$examples/false_alarms" --onnxruntime "$cache/onnxruntime/libonnxruntime.so" --models models --clip "$clip" \
            --work "$cache/clips/negative" --seconds "${SECONDS_PER_SCENE:-30}" \
            --more ../shared/clips/car-park.mp4 --more ../shared/clips/person-bicycle-car.mp4
        ;;
    *) "$examples/$name" "$clip" "$prepared" ;;
    esac
done
