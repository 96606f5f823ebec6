#!/bin/sh
# Makes the secrets of docker-compose.yml, one file each, in ./secrets or in the folder given. Never overwrites a file:
# run it again after deleting what you want anew. (The database keeps the password it was set up with.)
set -eu
umask 077 # files 600, folder 700
cd "$(dirname "$0")/.."
folder=${1:-secrets}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

random_hex() { head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }
random_whsec() { printf 'whsec_%s' "$(head -c 32 /dev/urandom | base64 | tr -d '\n')"; }

missing() { [ ! -e "$folder/$1" ]; }
write() { # write NAME TEXT
  (set -C && printf '%s\n' "$2" >"$folder/$1") # -C: refuses to overwrite, whatever came in between
  echo "made $folder/$1"
}

if missing postgres_password; then write postgres_password "$(random_hex)"; fi
if missing redis_conf; then write redis_conf "requirepass $(random_hex)"; fi
if missing database_url; then
  password=$(cat "$folder/postgres_password")
  write database_url "postgresql://heistwatch:$password@postgres:5432/heistwatch"
fi
if missing redis_url; then
  password=$(cut -d ' ' -f 2 "$folder/redis_conf")
  write redis_url "redis://:$password@redis:6379"
fi
if missing alert_webhook_secret; then write alert_webhook_secret "$(random_whsec)"; fi
if missing operations_webhook_secret; then write operations_webhook_secret "$(random_whsec)"; fi

# Compose mounts the files as they are, and each container reads its own as a user that is not you: 10001 in the image
# of heistwatch, 999 in those of redis and postgres. So each file is handed to the one who reads it.
hand_over() { # hand_over CHOWN-COMMAND... ; run inside of the folder's view of that command
  "$@" 10001:10001 database_url redis_url alert_webhook_secret operations_webhook_secret &&
    "$@" 999:999 redis_conf postgres_password
}
in_container() { docker run --rm --network none --user 0:0 -v "$folder:/secrets" -w /secrets --entrypoint chown redis:7 "$@"; }

cd "$folder"
if [ "$(id -u)" = 0 ]; then
  hand_over chown
elif command -v docker >/dev/null && docker info >/dev/null 2>&1; then
  hand_over in_container
else
  echo "The containers cannot read these files yet: run this script again with sudo before docker compose up."
fi
