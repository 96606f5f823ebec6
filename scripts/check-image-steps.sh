#!/usr/bin/env bash
# Runs the steps of the Dockerfile without a Docker engine: each stage is a folder under a temporary one, COPY copies,
# RUN runs there with this machine's node. At the end the command line of the result must answer --help.
# Shows that the files the Dockerfile names are enough; says nothing about the base image.
set -euo pipefail
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Node 24 of the repository, as in the image, if it is there.
[[ -x $repo/node_modules/.bin/node ]] && PATH=$(dirname "$(readlink -f "$repo/node_modules/.bin/node")"):$PATH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The Dockerfile empties npm's cache: that must not be the one of whoever runs this.
export npm_config_cache=$work/npm-cache
stage='' dir=''
stages=0

# Where a path of the image is: relative paths start from WORKDIR.
place() { # place STAGE DIR PATH
  case $3 in
    /*) echo "$work/$1$3" ;;
    *) echo "$work/$1$2/${3#./}" ;;
  esac
}

copy() { # copy [--from=STAGE] SOURCE... TARGET
  local from='' target source
  if [[ $1 == --from=* ]]; then
    from=${1#--from=}
    shift
  fi
  target=$(place "$stage" "$dir" "${*: -1}")
  for source in "${@:1:$#-1}"; do
    if [[ -n $from ]]; then source=$(place "$from" / "$source"); else source=$repo/$source; fi
    # As Docker: a folder's content goes into the target, a file into the target folder.
    mkdir -p "$target"
    if [[ -d $source ]]; then cp -R "$source/." "$target/"; else cp "$source" "$target/"; fi
  done
}

run() { # run COMMAND: as root in the image, as whoever we are here
  (
    cd "$work/$stage$dir"
    chown() { [[ $(id -u) != 0 ]] || command chown "$@"; }
    eval "$1"
  )
}

step() { # step INSTRUCTION REST
  local words
  read -ra words <<<"$2"
  case $1 in
    FROM)
      stages=$((stages + 1))
      stage=final
      [[ ${words[1]:-} == AS ]] && stage=${words[2]}
      dir=/
      mkdir -p "$work/$stage"
      ;;
    WORKDIR)
      dir=$2
      mkdir -p "$work/$stage$dir"
      ;;
    COPY) copy "${words[@]}" ;;
    RUN) run "$2" ;;
    # The environment of RUN; a value with blanks would need more than this.
    ENV) export "${words[@]}" ;;
    ENTRYPOINT | CMD | VOLUME | USER | EXPOSE | STOPSIGNAL | HEALTHCHECK) ;;
    *) echo "check-image-steps: what does $1 mean?" >&2 && return 1 ;;
  esac
}

# Comments out, continued lines joined.
while read -r instruction rest; do
  [[ -z $instruction ]] && continue
  echo "--- $instruction $rest"
  step "$instruction" "$rest"
done < <(sed -e '/^#/d' -e ':join' -e '/\\$/{N;s/\\\n */ /;b join' -e '}' "$repo/Dockerfile")

((stages == 2)) || { echo "check-image-steps: expected two stages, saw $stages" >&2; exit 1; }
cd "$work/final$dir"
echo "--- node dist/cli/main.js --help"
node dist/cli/main.js --help
[[ ! -e node_modules/typescript && ! -e src && ! -e test ]] || { echo "the final stage holds development files" >&2; exit 1; }
echo "--- the image would hold $(du -sh . | cut -f1) below $dir"
