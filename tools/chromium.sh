#!/bin/sh
# Finds a Chromium for the browser tests and prints its path; exits 1 with one line where none can be had.
#
#   tools/chromium.sh FOLDER
#
# First one on PATH; else, on Debian and its kin, the distribution's own package unpacked into FOLDER with the
# libraries that the machine lacks. Nothing is installed and no root is needed; a second call finds FOLDER ready.
set -eu

folder=${1:?usage: tools/chromium.sh FOLDER}
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" && exit 0
done
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
if [ -x "$folder/chromium" ]; then
    echo "$folder/chromium"
    exit 0
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    echo "no Chromium on PATH and no apt-get to fetch one with: the browser tests will check the report's text only" >&2
    exit 1
fi

# The package and what it needs beyond what is installed, with apt's lists and archives kept in the folder
work="$folder/part"
rm -rf "$work"
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/root"
apt() {
    apt-get -qq -y -o Dir::State="$work/state" -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$work/cache" \
        -o Debug::NoLocking=true -o APT::Sandbox::User= "$@" >"$work/log" 2>&1
}
if ! apt update || ! apt install --download-only --no-install-recommends chromium fonts-dejavu-core; then
    echo "Chromium's package cannot be fetched ($(grep '^[EW]:' "$work/log" | head -n 1)): the browser tests will check" \
        "the report's text only" >&2
    exit 1
fi
for package in "$work"/cache/archives/*.deb; do
    dpkg-deb -x "$package" "$work/root"
done

# A launcher that finds libraries and fonts where they were unpacked
rm -rf "$folder/root"
mv "$work/root" "$folder/root"
rm -rf "$work"
cat >"$folder/fonts.conf" <<FONTS
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
<include ignore_missing="yes">$folder/root/etc/fonts/conf.d</include>
<include ignore_missing="yes">/etc/fonts/conf.d</include>
<dir>$folder/root/usr/share/fonts</dir><dir>/usr/share/fonts</dir><cachedir>$folder/fontcache</cachedir>
</fontconfig>
FONTS
libraries=$(find "$folder/root" -name '*.so*' -exec dirname {} + | sort -u | tr '\n' ':')
cat >"$folder/chromium.part" <<LAUNCHER
#!/bin/sh
export LD_LIBRARY_PATH="$libraries\${LD_LIBRARY_PATH:-}" FONTCONFIG_FILE="$folder/fonts.conf"
exec "$folder/root/usr/lib/chromium/chromium" "\$@"
LAUNCHER
chmod +x "$folder/chromium.part"
if ! "$folder/chromium.part" --version >/dev/null; then
    echo "the unpacked Chromium does not start: the browser tests will check the report's text only" >&2
    exit 1
fi
mv "$folder/chromium.part" "$folder/chromium"
echo "$folder/chromium"
