#!/bin/bash
# container.sh ROOT NODE BUNDLE MOUNTS USER GROUP READ_ONLY PRIVILEGED HOSTNAME GROUPS COMMAND...
# In mount, UTS and PID namespaces of its own: makes the root of our image (as the Dockerfile does) and becomes COMMAND in it.
# MOUNTS is a file of lines "source<TAB>target<TAB>ro|rw". The environment is the container's own.
set -eu
path_of_container=$PATH
PATH=/usr/sbin:/usr/bin:/sbin:/bin
root=$1 node=$2 bundle=$3 mounts=$4 user=$5 group=$6 read_only=$7 privileged=$8 hostname=$9 groups=${10}
shift 10

hostname "$hostname"
mount --make-rprivate /
mount -t tmpfs -o mode=755 image "$root"
mkdir -p "$root"/{usr/local/bin,usr/share/couchestor,etc,proc,dev,sys}

ldd "$node" | grep -o '/[^ ]*' | while read -r library; do cp -L --parents "$library" "$root"; done
touch "$root/usr/local/bin/node"
mount --bind -o ro "$node" "$root/usr/local/bin/node"
{ echo '#!/usr/local/bin/node'; tail -n +2 "$bundle"; } >"$root/usr/share/couchestor/couchestor.mjs"
chmod 755 "$root/usr/share/couchestor/couchestor.mjs"
ln -s /usr/share/couchestor/couchestor.mjs "$root/usr/local/bin/couchestor"
echo 'root:x:0:0:root:/:/sbin/nologin
nonroot:x:65532:65532:nonroot:/:/sbin/nologin' >"$root/etc/passwd"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
echo "$hostname" >"$root/etc/hostname"

mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
if [ "$privileged" = true ]; then
  mount --rbind /dev "$root/dev"
else
  mount -o remount,bind,ro "$root/sys"
  mount -t tmpfs -o mode=755 dev "$root/dev"
  for name in null zero full random urandom tty; do
    touch "$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
  done
  ln -s /proc/self/fd "$root/dev/fd"
fi

while IFS=$'\t' read -r source target mode; do
  if [ -d "$source" ]; then mkdir -p "$root$target"; else
    mkdir -p "$(dirname "$root$target")"
    touch "$root$target"
  fi
  mount --rbind "$source" "$root$target"
  [ "$mode" = rw ] || mount -o remount,bind,ro "$root$target"
done <"$mounts"
[ "$read_only" = false ] || mount -o remount,ro "$root"

no_more_rights=--no-new-privs
[ "$privileged" = false ] || no_more_rights=
unset SHLVL OLDPWD PWD _
PATH=$path_of_container exec /usr/bin/setpriv $no_more_rights \
  /usr/sbin/chroot --userspec="+$user:+$group" --groups="$groups" "$root" "$@"
