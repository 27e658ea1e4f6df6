# shellcheck shell=bash
# The browsers, in a file system of their own: Chromium, Firefox and WebKitGTK with its WebDriver are Debian's packages,
# with all that they depend on. The packages are checked by Debian's signed index and unpacked below the cache, and the
# system stays as it is. The programs run in that file system as its root, in a mount namespace that ends with them.

packages=(chromium firefox-esr webkit2gtk-driver xvfb fonts-dejavu-core fonts-noto-color-emoji dash)

# install_engines DIR: the programs of the packages in DIR/root, and one script for each browser in DIR/bin.
install_engines() {
  local dir=$1 stamp apt deb
  stamp=$(digest "${BASH_SOURCE[0]}")
  [ "$(cat "$dir/stamp" 2>/dev/null || true)" = "$stamp" ] && return 0
  command -v apt-get >/dev/null || { echo "the browsers are unpacked from Debian's packages: there is no apt-get" >&2; return 1; }
  rm -rf --one-file-system "$dir"
  mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir"/root/{proc,sys,dev,tmp,root,etc,usr/{bin,lib,sbin,lib64}}
  : >"$dir/status" # as on an empty system, so that nothing is missing
  apt=(apt-get -qq -y --no-install-recommends -o "Dir::State::lists=$dir/lists" -o "Dir::State::status=$dir/status"
    -o "Dir::Cache=$dir/cache" -o APT::Sandbox::User= -o Debug::NoLocking=1)
  "${apt[@]}" update >&2
  "${apt[@]}" --download-only install "${packages[@]}" >&2
  for deb in "$dir"/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$deb"
    rm "$deb"
  done | tar -x -C "$dir/root" --ignore-zeros --no-same-owner --keep-directory-symlink \
    --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*'
  prepare_root "$dir/root"
  write_programs "$dir"
  prepare_databases "$dir"
  rm -r "$dir/lists" "$dir/cache"
  echo "$stamp" >"$dir/stamp"
}

# prepare_root ROOT: what scripts of packages that are left out would have made.
prepare_root() {
  local name
  for name in bin sbin lib lib64; do
    [ -e "$1/$name" ] || ln -s "usr/$name" "$1/$name"
  done
  [ -e "$1/bin/sh" ] || ln -s dash "$1/bin/sh"
  echo '127.0.0.1 localhost' >"$1/etc/hosts"
  echo 'root:x:0:0:root:/root:/bin/sh' >"$1/etc/passwd"
}

# write_programs DIR: DIR/bin/inside runs a program of DIR/root in it, and the others are the browsers.
write_programs() {
  local program
  mkdir "$1/bin"
  cat >"$1/bin/inside" <<SH
#!/bin/sh
set -- unshare --mount --propagation private sh -c '
  root=\$1
  shift
  for name in proc sys dev tmp; do mount --rbind "/\$name" "\$root/\$name" || exit 1; done
  exec chroot "\$root" "\$@"' sh '$1/root' "\$@"
[ "\$(id -u)" = 0 ] || { shift; set -- unshare --map-root-user "\$@"; }
exec "\$@"
SH
  for program in /usr/lib/chromium/chromium /usr/bin/firefox-esr /usr/bin/WebKitWebDriver /usr/bin/Xvfb; do
    printf '#!/bin/sh\nexec "%s/bin/inside" %s "$@"\n' "$1" "$program" >"$1/bin/${program##*/}"
  done
  chmod +x "$1"/bin/*
}

# prepare_databases DIR: the settings and media types that GTK looks up.
prepare_databases() {
  local lib
  lib=$(dirname "$(find "$1/root/usr/lib" -name libglib-2.0.so.0)")
  "$1/bin/inside" "${lib#"$1/root"}/glib-2.0/glib-compile-schemas" /usr/share/glib-2.0/schemas
  "$1/bin/inside" /usr/bin/update-mime-database /usr/share/mime
}
