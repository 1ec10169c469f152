#!/bin/sh
# Chromium for the browser tests, npm for the page's scripts and the emoji font for new scenes, where they are missing: Debian's packages.
# Of Chromium the shell without windows, where there is one: it opens a page in half the time. Any Chromium will do.
set -eu
has() { command -v "$1" >/dev/null 2>&1; }
run=""
[ "$(id -u)" = 0 ] || run="sudo"
shell="chromium-headless-shell"
install() { $run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }

need=""
has $shell || has chromium || has chromium-browser || has google-chrome || need="chromium"
[ -f "${SCRATCHPAD_EMOJI_FONT:-/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf}" ] || need="$need fonts-noto-color-emoji"
has npm || need="$need nodejs npm"
if [ -n "$need" ] && ! has apt-get; then
  echo "The browser tests need$need: install with your system's package manager, then run make test again." >&2
  exit 1
fi
[ -z "$need" ] || $run apt-get update -qq
# nobody is asked for a password for it alone
if ! has $shell && { [ -n "$need" ] || [ "$(id -u)" = 0 ]; } && has apt-get && apt-cache show $shell >/dev/null 2>&1; then
  if install $shell; then need=$(echo " $need " | sed 's/ chromium / /'); fi
fi
need=$(echo $need)
[ -z "$need" ] || install $need
