#!/usr/bin/env bash
# Nine minutes of one GPU, spent in one go: the most valuable first, each part bounded, going on when one fails.
#
#   benchmarks/gpu.sh                                # under nine minutes on one H100 or H200; results in benchmarks/results/gpu
#   benchmarks/gpu.sh --device cpu --small           # the same script rehearsed on two cores in about five minutes
#   benchmarks/gpu.sh --parts "tests autogaze"       # some of: tests autogaze encoder stages train reading
#   benchmarks/gpu.sh --seconds 300                  # less time: parts that no longer fit are left out
#
# OUT/gpu-PARTS-HARDWARE-VERSIONS.json says how each part ended and holds what it measured, also of one that was cut short;
# the log beside it says the rest. `python -m benchmarks.tables` makes the tables of docs/ from these. Exit status: 1 if
# any part failed, after all have run.
#
# A lent machine that is bare and reaches nothing (`run(command, carry)` of the workplace's device tool: Python 3.12 with
# torch, transformers and pytest; no PyAV, no pydantic, no ../shared, and 64 MiB may travel) takes two calls, since PyAV
# and the golden values do not fit into one. Here, once, in the repository's root:
#   python -m benchmarks.gpu_parts pack              # fills .gpu/, which git ignores: light, heavy, golden
# then one after the other, while the machine is warm:
#   run("benchmarks/gpu.sh --out $OUT --parts 'tests autogaze' --seconds 270", carry=[".gpu/light", ".gpu/golden"], timeout_s=300)
#   run("benchmarks/gpu.sh --out $OUT --parts 'encoder stages train' --seconds 330", carry=[".gpu/light", ".gpu/heavy"], timeout_s=360)
# and copy what each call brings back to benchmarks/results/gpu before the next one. A machine's start counts: it took one
# minute once and six another time, so let the first call hold what is wanted most.
set -u
cd "$(dirname "$0")/.."
device=cuda small= out=benchmarks/results/gpu parts="tests autogaze encoder stages train" seconds=525
while [ $# -gt 0 ]; do
  case $1 in
    --device) device=$2; shift 2 ;;
    --out) out=$2; shift 2 ;;
    --parts) parts=$2; shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    --small) small=--small; shift ;;
    *) echo "gpu.sh: unknown argument $1; see the head of this file" >&2; exit 2 ;;
  esac
done
python=${PYTHON:-.venv/bin/python}
[ -x "$python" ] || python=$(command -v python3) || { echo "gpu.sh: no Python; name one: PYTHON=..." >&2; exit 2; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
if ! "$python" -c "import pydantic, importlib.metadata as m; m.version('hlvid')" 2>/dev/null; then
  "$python" -m benchmarks.gpu_parts unpack "$work/site" || exit 2
  export PYTHONPATH="$work/site:$PWD${PYTHONPATH:+:$PYTHONPATH}"
fi
[ -d ../shared ] || [ ! -d .gpu/golden ] || export HLVID_TEST_SHARED="$PWD/.gpu/golden"
export HLVID_DATA="$work/data" HLVID_STATE="$work/state" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
mkdir -p "$out"
name=$("$python" -m benchmarks.gpu_parts name --device "$device") || exit 1
name=$(echo "$parts" | tr ' ' '-')-$name
report=$out/gpu-$name.json log=$out/gpu-$name.log failed=0
rm -f "$report" "$log"

# part NAME SECONDS WROTE COMMAND...: run a part within its time and what is left of all, note how it ended and what it wrote
part() {
  local part=$1 limit=$2 wrote=$3; shift 3
  local start=$SECONDS status=0 left=$((seconds - SECONDS))
  # A rehearsal may share its cores with others: it has to pass, not to be fast.
  [ -n "$small" ] && limit=$((limit * 6)) left=$limit
  [ "$limit" -lt "$left" ] || limit=$left
  echo "== $part (at most $limit s)" | tee -a "$log"
  if [ "$limit" -lt 5 ]; then status=-1; else
    timeout --kill-after=5 "$limit" "$@" >"$work/log" 2>&1 || status=$?
    cat "$work/log" >>"$log"
  fi
  [ "$status" = 0 ] || { failed=1; tail -n 15 "$work/log"; }
  "$python" -m benchmarks.gpu_parts note "$report" "$part" "$status" $((SECONDS - start)) "$wrote"
}
has() { case " $parts " in *" $1 "*) true ;; *) false ;; esac }

latency() {  # latency KIND SECONDS CELLS ATTENTION DTYPE SHAPE BATCH ROUNDS
  local rounds=$8; [ -n "$small" ] && rounds=1
  part "$1-$5-$4" "$2" "$work/$1-$5" "$python" -m hlvid.cli latency "$1" --shape "$6" --cells "$3" --attention "$4" \
    --dtype "$5" --video "$work/film.mp4" --device "$device" --rounds $rounds --cell-seconds 40 --batch "$7" --out "$work/$1-$5"
}

if has tests; then
  # The rehearsal leaves out the longest lists: the default and slow tests have them.
  few=""; [ -n "$small" ] && few="not 0.75 and not 0.055 and not ratio_1"
  part tests 120 "$work/tests.xml" env HLVID_TEST_DEVICE="$device" "$python" -m pytest -m gpu -k "$few" -o addopts= \
    -p no:cacheprovider -o junit_family=legacy --import-mode=importlib -q --junit-xml "$work/tests.xml" tests/autogaze/test_gpu.py
fi
if has autogaze; then
  part autogaze 140 "$work/autogaze.json" "$python" -m benchmarks.gpu_autogaze --device "$device" $small --out "$work/autogaze.json"
fi
if has encoder || has stages; then
  part film 45 "" "$python" -m benchmarks.gpu_parts film $small --out "$work/film.mp4"
fi
if has encoder; then
  if [ -n "$small" ]; then
    latency vit 30 1x224,1x448 math float32 tiny 256 1
    latency vit 30 1x224,1x448 fastest bfloat16 tiny 256 1
  else
    latency vit 60 30x224,30x448,30x896,30x3584 fastest bfloat16 8b 256 3
    latency vit 70 30x224,30x448,30x896,30x3584 math float32 8b 256 3
  fi
fi
if has stages; then
  if [ -n "$small" ]; then
    latency stages 40 16x448 fastest bfloat16 tiny 48 1
  else
    # One round each, as 1,024 frames of 4K take long to decode; kernels are compiled in the shortest cell.
    latency stages 120 16x3584,128x3584,1024x3584 fastest bfloat16 8b 48 1
  fi
fi
if has train; then
  steps=400; [ -n "$small" ] && steps=1
  train() {
    "$python" -m hlvid.cli train labels --out "$work/labels" --generated 8 --frames 4 4 --processes 2 &&
      "$python" -m hlvid.cli train ntp --config ntp --labels "$work/labels" --out "$work/ntp" --device "$device" \
        --steps "$steps" --batch 4
  }
  export -f train; export python work device steps
  part train 120 "$work/ntp/metrics.jsonl" bash -c train
fi
if has reading; then  # not among the usual ones: eight minutes of its own; the model is in OUT/reading
  steps="3000 4000 2000" squares=16000 pictures=3000 held=384 batch=128
  [ -z "$small" ] || { steps="1 1 1" squares=8 pictures=8 held=8 batch=2; }
  reading() {
    local name=$1 count=$2; shift 2
    { sed -E "s/squares: [0-9]+/squares: $squares/; s/pictures: [0-9]+/pictures: $pictures/; s/held_out: .*/held_out: $held/" \
      "autogaze/training/configs/reading-$name.yaml"; echo "processes: $(nproc)"; } >"$work/$name.yaml" &&
      "$python" -m hlvid.cli train reading --config "$work/$name.yaml" --out "$work/reading/$name" --device "$device" \
        --steps "$count" --batch "$batch" "$@"
  }
  runs() {
    local one=($steps)
    reading characters "${one[0]}" && reading language "${one[1]}" &&
      reading answers "${one[2]}" --init "$work/reading/characters" --init "$work/reading/language"
  }
  export -f reading runs; export python work device steps squares pictures held batch
  part reading 480 "$work/reading/answers/validation.jsonl" bash -c runs
  [ ! -d "$work/reading/answers/model" ] || cp -r "$work/reading/answers/model" "$out/reading"
fi
echo "written: $report"
exit $failed
