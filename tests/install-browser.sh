#!/bin/sh
# Chromium for the browser tests, npm for the page's scripts and the emoji font for new scenes, where they are missing: Debian's packages.
set -eu
need=""
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || need="chromium"
[ -f "${SCRATCHPAD_EMOJI_FONT:-/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf}" ] || need="$need fonts-noto-color-emoji"
command -v npm >/dev/null 2>&1 || need="$need nodejs npm"
[ -n "$need" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
  echo "The browser tests need$need: install with your system's package manager, then run make test again." >&2
  exit 1
fi
run=""
[ "$(id -u)" = 0 ] || run="sudo"
$run apt-get update -qq
$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $need >/dev/null
