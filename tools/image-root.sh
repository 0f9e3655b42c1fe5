#!/bin/sh
# image-root.sh DIR: the root of the runtime image, from the image this runs in: Node, the libraries it is linked with,
# the bundle under its own name, and the three files of /etc that the C library and people look for.
set -eu
root=$1
node=$(command -v node)
mkdir -p "$root/usr/local/bin" "$root/usr/share/couchestor" "$root/etc"

# as the loader will look for them: links followed, directories real
ldd "$node" | grep -o '/[^ ]*' | while read -r library; do cp -L --parents "$library" "$root"; done
cp -L "$node" "$root/usr/local/bin/node"

# The kernel reads the first line: there is no env(1) and no shell to ask. The name marks for Node that it is a module.
program=/usr/share/couchestor/couchestor.mjs
{ echo '#!/usr/local/bin/node'; tail -n +2 dist/couchestor.js; } >"$root$program"
# what `couchestor agent` turns into, for the memory of every node
cp dist/couchestor-agent.js "$root/usr/share/couchestor/couchestor-agent.mjs"
ln -s "$program" "$root/usr/local/bin/couchestor"
cp dist/couchestor.cdx.json "$root/usr/share/couchestor/"

echo 'root:x:0:0:root:/:/sbin/nologin
nonroot:x:65532:65532:nonroot:/:/sbin/nologin' >"$root/etc/passwd"
echo 'root:x:0:
nonroot:x:65532:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"

find "$root" -type d -exec chmod 755 {} +
find "$root" -type f -exec chmod 644 {} +
chmod 755 "$root/usr/local/bin/node" "$root$program"
find "$root" -name 'ld-linux*' -exec chmod 755 {} +
# the same source gives the same image
find "$root" -exec touch --no-dereference --date "@${SOURCE_DATE_EPOCH:-0}" {} +
