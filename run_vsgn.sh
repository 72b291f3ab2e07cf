#!/usr/bin/env bash
# VSGN in one command, from cutting videos to scores. `bash run_vsgn.sh help` says how.
set -euo pipefail
# A log that nobody reads any more (`| head`) does not end a run.
trap '' PIPE

unset CDPATH    # with it, cd may go elsewhere and says where
ROOT="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
VENV="$ROOT/.venv"
PYTHON=""       # set by choose_python
VIDEO_ENDINGS="mp4 m4v mov mkv webm avi mpg mpeg ts m2ts mts wmv flv 3gp ogv vob gif h264"

usage() {
    cat <<'TEXT'
usage: [DATASET=...] [DATA_PATH=...] bash run_vsgn.sh VERB [NAME] [FLAGS]

  VERB  traininfereval   cut if necessary, train, infer, evaluate
        traininfer       cut if necessary, train, infer
        train            cut if necessary, train
        infer, eval, cut only this step
        test             run the tests (further words go to pytest)
  NAME  of the run, by default that of the dataset: results go to checkpoint_NAME/ and
        output_NAME/, window lists to windows/NAME/, in the current folder
  FLAGS for the scripts; --resume continues a run, --overwrite replaces it

  DATASET    thumos, activitynet, custom, demo or demo_videos (small videos made here)
  DATA_PATH  folder of the features or, for custom, of videos, whose features are first extracted
             to data/NAME/features; see --extractor, --weights and --workers in docs/video.md
  Without either: the built-in demo data; for infer and eval, the data of the run NAME.

If the active environment has what pyproject.toml asks for, it is used. Otherwise requirements.txt
(and for videos requirements-video.txt) is installed into .venv next to this script.
TEXT
}

say() { printf 'run_vsgn.sh: %s\n' "$*" 2>/dev/null || true; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 2
}

main() {
    local verb=${1-}
    case $verb in
        traininfereval | traininfer | train | infer | eval | cut)
            run_steps "$@"
            ;;
        test)
            choose_python test
            cd "$ROOT"
            exec "$PYTHON" -m pytest "${@:2}"
            ;;
        help | -h | --help)
            usage
            ;;
        "")
            usage >&2
            exit 2
            ;;
        *)
            fail "unknown verb $verb; one of traininfereval, traininfer, train, infer, eval, cut," \
                "test, help"
            ;;
    esac
}

# ---- the steps ----------------------------------------------------------------------------------

run_steps() {   # run_steps VERB [NAME] [FLAGS]
    local verb=$1 name="" dataset data_path videos is_demo="" checkpoint output windows flags
    shift
    if (($#)) && [[ $1 != -* ]]; then
        name=$1
        shift
        [[ $name != */* && $name != "" && $name != *[[:cntrl:]]* ]] || fail "the name of a run" \
            "cannot be '${name//[[:cntrl:]]/?}'; it is used in the names of folders, so give one" \
            "without a slash, a new line or the like"
    fi
    dataset=$(chosen_dataset "$@")
    data_path=$(chosen_data_path "$dataset" "$@")
    name=${name:-$dataset}
    videos=$(video_folder "$dataset" "$data_path")
    if [[ -n $videos ]]; then
        [[ $dataset != demo_videos ]] || is_demo=yes
        dataset=custom
        data_path=data/$name/features
        split_flags "$@"        # sets OF_EXTRACTION and OF_OTHERS
        [[ -z $is_demo ]] || OF_EXTRACTION+=(--demo)
        set -- ${OF_OTHERS[@]+"${OF_OTHERS[@]}"}
    fi
    checkpoint=$(flag_value --checkpoint_path "$@")
    checkpoint=${checkpoint:-checkpoint_$name}
    output=$(flag_value --output_path "$@")
    output=${output:-output_$name}
    windows=$(flag_value --window_path "$@")
    windows=${windows:-windows/$name}
    refuse_earlier_run "$verb" "$checkpoint" "$output" "$@"

    flags=()
    [[ -z $dataset ]] || flags+=(--dataset "$dataset")
    [[ -z $data_path ]] || flags+=(--feature_path "$data_path")
    if [[ -n $videos && ($is_demo == yes || -f $videos/annotations.json) ]]; then
        flags+=(--video_anno "$videos/annotations.json")
    fi
    # Results of an evaluation may go elsewhere than the run.
    if [[ $verb == eval && $output != "output_$name" && -e output_$name/config.json ]]; then
        flags+=(--config "output_$name/config.json")
    fi

    say "$verb, run '$name': dataset ${dataset:-of the run}${data_path:+ in $data_path}"
    choose_python ${videos:+video}
    if [[ -n $videos && $verb != eval ]]; then
        extract "$videos" "$data_path" "$@"
    fi
    if [[ $verb == cut ]] || { [[ $verb == train* ]] && must_cut "$windows" "$@"; }; then
        step Cut_long_videos "${flags[@]}" --window_path "$windows" "$@"
    fi
    # The user's flags come after ours, so that they win.
    [[ $verb != *train* ]] || step Train "${flags[@]}" --window_path "$windows" \
        --checkpoint_path "$checkpoint" "$@"
    [[ $verb != *infer* ]] || step Infer ${flags[@]+"${flags[@]}"} --window_path "$windows" \
        --checkpoint_path "$checkpoint" --output_path "$output" "$@"
    if [[ $verb == *eval* ]]; then
        if [[ -n $videos ]] && ! has_flag --video_folder "$@"; then
            flags+=(--video_folder "$videos")
        fi
        step Eval ${flags[@]+"${flags[@]}"} --output_path "$output" "$@"
    fi
}

chosen_dataset() {      # from --dataset, DATASET, or what the scripts mean without either
    local dataset
    dataset=$(flag_value --dataset "$@")
    dataset=${dataset:-${DATASET-}}
    if [[ -z $dataset && $verb == @(infer|eval) && -n $name ]]; then
        return      # the run knows
    fi
    if [[ -z $dataset ]]; then
        if [[ -z ${DATA_PATH-}$(flag_value --feature_path "$@") ]]; then
            dataset=demo
        else
            dataset=activitynet
            say "no DATASET given: using activitynet, the default of --dataset;" \
                "DATASET=custom is for your own data" >&2
        fi
    fi
    case $dataset in
        thumos | activitynet | custom | demo | demo_videos) echo "$dataset" ;;
        *) fail "unknown dataset $dataset; DATASET is thumos, activitynet, custom, demo or" \
            "demo_videos" ;;
    esac
}

chosen_data_path() {    # chosen_data_path DATASET FLAGS; empty: the script's default, or the run's
    local path
    path=$(flag_value --feature_path "${@:2}")
    path=${path:-${DATA_PATH-}}
    [[ -n $path || -z $1 || $1 == demo* || $verb == eval ]] ||
        fail "dataset $1 needs its features: set DATA_PATH to their" \
        "folder, or leave DATASET unset for the demo data"
    echo "$path"
}

video_folder() {        # video_folder DATASET DATA_PATH: the folder of videos, if it is one
    if [[ $1 == demo_videos ]]; then
        echo "${2:-data/demo_videos}"
    elif [[ $1 == custom && -d $2 && -z $(first_file "$2" 2 npy npz pt h5 hdf5) &&
            -n $(first_file "$2" 99 $VIDEO_ENDINGS) ]]; then
        echo "$2"
    fi
}

first_file() {  # first_file FOLDER DEPTH ENDINGS: a file with one of the endings, if there is any
    local folder=$1 depth=$2 names=() ending
    for ending in "${@:3}"; do
        names+=(-o -iname "*.$ending")
    done
    find -L "$folder" -maxdepth "$depth" -type f ! -name '.*' \( "${names[@]:1}" \) -print -quit
}

split_flags() {         # split_flags FLAGS: those of Extract_features.py and of the others
    OF_EXTRACTION=() OF_OTHERS=()
    while (($#)); do
        case $1 in
            --dataset | --feature_path) shift ;;        # the scripts get custom, and the features
            --dataset=* | --feature_path=*) ;;
            --extractor | --weights | --workers | --demo_seconds)
                OF_EXTRACTION+=("$1" "${2-}")
                shift
                ;;
            --extractor=* | --weights=* | --workers=* | --demo_seconds=*) OF_EXTRACTION+=("$1") ;;
            --feature_fps | --device)
                OF_EXTRACTION+=("$1" "${2-}") OF_OTHERS+=("$1" "${2-}")
                shift
                ;;
            --feature_fps=* | --device=* | --overwrite)
                OF_EXTRACTION+=("$1") OF_OTHERS+=("$1")
                ;;
            *) OF_OTHERS+=("$1") ;;
        esac
        (($# == 0)) || shift
    done
}

refuse_earlier_run() {  # refuse_earlier_run VERB CHECKPOINT_FOLDER OUTPUT_FOLDER FLAGS
    local verb=$1 checkpoint=$2 output=$3 file
    shift 3
    if [[ $verb != train* ]] || has_flag --resume "$@" || has_flag --overwrite "$@"; then
        return
    fi
    for file in "$checkpoint"/{checkpoint,best}.pth.tar "$output"/{proposals.h5,metrics.json}; do
        [[ ! -e $file || ($verb == train && $file == "$output"/*) ]] ||
            fail "$file belongs to an earlier run, finished or not: --resume continues it," \
                "--overwrite replaces it, another name leaves it alone"
    done
}

must_cut() {    # must_cut WINDOW_FOLDER FLAGS: a list is missing, or ours and to be overwritten
    local list
    for list in "$1"/{train,val,infer}.json; do
        [[ -e $list ]] || return 0
        # The authors' own lists are bare JSON lists; ours are objects that hold their settings.
        if has_flag --overwrite "${@:2}" && [[ $(head -c 1 "$list") == "{" ]]; then
            return 0
        fi
    done
    return 1
}

extract() {     # extract VIDEOS FOLDER FLAGS: go on without bad videos if --skip_missing says so
    local code=0
    run_script Extract_features "$1" --out "$2" ${OF_EXTRACTION[@]+"${OF_EXTRACTION[@]}"} || code=$?
    if ((code == 1)); then
        has_flag --skip_missing "${@:3}" && return
        say "correct or remove these videos, or go on without them: --skip_missing" >&2
    fi
    stop_at Extract_features "$code"
}

step() {        # step SCRIPT FLAGS: run one script; stop if it fails
    local code=0
    run_script "$@" || code=$?
    stop_at "$1" "$code"
}

run_script() {  # run_script SCRIPT FLAGS
    say "$1.py"
    run "$PYTHON" "$ROOT/$1.py" "${@:2}"
}

stop_at() {     # stop_at SCRIPT EXIT_CODE: unless it is 0
    if (($2)); then
        say "$1.py ended with exit code $2; stopping here" >&2
        exit "$2"
    fi
}

run() {         # run COMMAND: Ctrl-C, SIGTERM or SIGHUP for this shell ends it like a SIGTERM of its own
    local child="" code=0 stopped=0
    # Before the step starts, so that no signal finds this shell without its trap.
    trap 'stopped=1; kill -TERM "$child" 2>/dev/null || true' INT TERM HUP
    "$@" &
    child=$!
    ((!stopped)) || kill -TERM "$child" 2>/dev/null || true
    wait "$child" || code=$?
    while kill -0 "$child" 2>/dev/null; do      # a signal ends `wait` before the child has ended
        wait "$child" || true
    done
    trap - INT TERM HUP
    # Whatever the step made of the signal, no further step follows.
    ((!stopped)) || code=130
    return "$code"
}

flag_value() {  # flag_value --flag WORDS: the last value of the flag in the words, if any
    local flag=$1 value=""
    shift
    while (($#)); do
        case $1 in
            "$flag") value=${2-} ;;
            "$flag"=*) value=${1#*=} ;;
        esac
        shift
    done
    echo "$value"
}

has_flag() {    # has_flag --flag WORDS
    local flag=$1 word
    shift
    for word; do
        [[ $word != "$flag" ]] || return 0
    done
    return 1
}

# ---- the environment ----------------------------------------------------------------------------

choose_python() {       # choose_python [test|video]: sets PYTHON to one that has what is needed
    local lacking
    if [[ -n ${VSGN_PYTHON-} ]]; then       # the command `vsgn`, as pip installs it
        PYTHON=$VSGN_PYTHON
        return
    fi
    for PYTHON in "$(first_that is_recent python3 python)" "$VENV/bin/python"; do
        is_recent "$PYTHON" || continue
        if lacking=$("$PYTHON" -P "$ROOT/Utils/packages.py" "$@"); then
            say "using $PYTHON"
            return
        fi
        say "$PYTHON lacks $lacking"
    done
    PYTHON="$VENV/bin/python"
    make_venv "$@"
}

make_venv() {           # make_venv [test|video]: our own Python, with the pinned packages
    local base requirements=(-r "$ROOT/requirements.txt")
    case ${1-} in
        test) requirements=(-r "$ROOT/requirements-dev.txt") ;;
        video) requirements+=(-r "$ROOT/requirements-video.txt") ;;
    esac
    if ! is_recent "$PYTHON"; then
        base=$(first_that can_make_venv python3.11 python3.12 python3.13 python3.14 python3 python)
        [[ -n $base ]] || fail "found no Python 3.11 or newer with venv and ensurepip; install" \
            "one (Debian, Ubuntu: apt install python3 python3-venv)"
        say "creating $VENV with $base"
        "$base" -m venv --clear "$VENV"
    elif ! "$PYTHON" -m pip --version >/dev/null 2>&1; then
        "$PYTHON" -m ensurepip      # environments of some other tools come without pip
    fi
    say "installing ${requirements[*]} into $VENV; this happens once and takes a few minutes"
    run "$PYTHON" -m pip install --disable-pip-version-check "${requirements[@]}" ||
        fail "the packages could not be installed; see the output of pip above"
}

first_that() {          # first_that TEST PYTHONS: the path of the first that passes, if any
    local candidate
    for candidate in "${@:2}"; do
        if "$1" "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
}

is_recent() {           # is_recent PYTHON: it runs, and is 3.11 or newer
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

can_make_venv() {       # can_make_venv PYTHON
    is_recent "$1" && "$1" -c 'import ensurepip, venv' 2>/dev/null
}

main "$@"
