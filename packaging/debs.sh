# shellcheck shell=bash
# Debian's packages unpacked into a folder without installing anything and without any rights, by
# Debian's own tools; sourced by the scripts that each fill one folder. apt's lists and cache are
# private to the folder, which appears whole or not at all.

# Work is in FOLDER.part until finish. Ends the script when FOLDER is whole already.
debs_begin() {
  folder=$1
  [ ! -e "$folder/complete" ] || exit 0
  rm -rf "$folder.part"
  mkdir -p "$folder.part/apt"/{lists/partial,cache/archives/partial,parts} "$folder.part/deb"
  cd "$folder.part"
  apt=(-q -o "Dir::State::Lists=$PWD/apt/lists" -o "Dir::Cache=$PWD/apt/cache" -o APT::Sandbox::User=root -o Debug::NoLocking=1)
}

# debs_suite NAME: from there, and nowhere else.
debs_suite() {
  local mirror
  mirror=$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2> /dev/null || true; } |
    grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 || true)
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:-http://deb.debian.org/debian} $1 main" > apt/sources.list
  apt+=(-o "Dir::Etc::SourceList=$PWD/apt/sources.list" -o "Dir::Etc::SourceParts=$PWD/apt/parts")
}

debs_update() { apt-get "${apt[@]}" update > apt/log 2>&1 || { cat apt/log >&2; exit 1; }; }

# debs_unpack PACKAGE...: into root/
debs_unpack() {
  local deb
  (cd deb && apt-get "${apt[@]}" download "$@" >> ../apt/log 2>&1) || { cat apt/log >&2; exit 1; }
  for deb in deb/*.deb; do dpkg-deb -x "$deb" root; done
}

debs_finish() {
  rm -rf root deb apt
  touch complete
  rm -rf "$folder"
  mv "$PWD" "$folder"
}
