#!/usr/bin/env bash
# Make the two fonts of the page anew: Newsreader for the story, Inter for the interface, both under the SIL Open Font License.
# They are cut down to the letters and weights that the page uses. Needs npm and uv.
set -euo pipefail
cd "$(mktemp -d)"
page=${OLDPWD}/$(dirname "$0")
letters="U+20-7E,U+A0,U+A9,U+B1,U+B7,U+D7,U+2013,U+2014,U+2018,U+2019,U+201C,U+201D,U+2022,U+2026,U+2190-2193,U+2197,U+2212"
tools=(uvx --from fonttools==4.60.1 --with brotli==1.1.0)
for font in newsreader@5.3.0 inter@5.3.0; do
  npm pack --silent "@fontsource-variable/$font"
done
for archive in *.tgz; do mkdir "${archive%.tgz}" && tar xzf "$archive" -C "${archive%.tgz}"; done
"${tools[@]}" fonttools varLib.instancer -q */package/files/newsreader-latin-standard-normal.woff2 wght=400 opsz=10:72 -o newsreader.ttf
"${tools[@]}" fonttools varLib.instancer -q */package/files/inter-latin-wght-normal.woff2 wght=400:600 -o inter.ttf
for font in newsreader inter; do
  "${tools[@]}" pyftsubset $font.ttf --unicodes=$letters --flavor=woff2 \
    --layout-features=kern,liga,calt,ccmp,case,mark,lnum,tnum,onum,pnum --output-file="$page/src/fonts/$font.woff2"
done
