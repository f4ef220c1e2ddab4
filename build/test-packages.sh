#!/usr/bin/env bash
# Uses the packages as somebody does who does not have this repository: packs them to a feed in a temporary folder,
# installs the tool from it and runs `cope demo`; makes a console and an ASP.NET Core project there, with the programs
# that stand in README.md, docs/library.md and docs/serving.md, and runs them on that run, as a user who may write
# nowhere near them. --no-build packs what is built.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
build=()
case ${1-} in
  "") ;;
  --no-build) build=(--no-build --no-restore) ;;
  *) echo "unknown argument $1; expected --no-build or none" >&2; exit 2 ;;
esac
# Laid out as the documents have it: the repository's packages in CoPe/packages, projects beside it.
work=$(mktemp -d)
server=
clean() { [ -z "$server" ] || kill "$server" 2>/dev/null || true; chmod -R u+w "$work"; rm -rf "$work"; }
trap clean EXIT
chmod 755 "$work"
feed=$work/CoPe/packages
mkdir -p "$feed" "$work/models"

say() { echo "-- $*"; }
fail() { echo "test-packages: $*" >&2; exit 1; }
as_reader() { # as_reader FOLDER COMMAND...: runs it where it cannot write to the program's folder
  local folder=$1; shift
  if [ "$(id -u)" -eq 0 ]; then
    exec setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent "$@"
  fi
  chmod -R a-w "$folder"
  exec "$@"
}
code() { # code FILE LANGUAGE N: the Nth block of a language in a document
  awk -v open="\`\`\`$2" -v nth="$3" '
    !inside && $0 == open { inside = 1; count++; next }
    inside && $0 == "```" { inside = 0; next }
    inside && count == nth' "$root/$1"
}

say "pack"
dotnet pack "$root/CoPe.slnx" -c Release "${build[@]}" -p:PackageOutputPath="$feed" -warnaserror -v quiet
ls -l "$feed"
for package in CoPe CoPe.Experiments CoPe.Server CoPe.Cli CoPe.Cli.linux-x64; do
  [ -s "$feed"/$package.[0-9]*.nupkg ] || fail "there is no package $package"
done
large=$(find "$feed" -name '*.nupkg' -size +250000000c)
[ -z "$large" ] || fail "galleries take packages of up to 250 MB: $large"

# Our packages are extracted here; those of others are taken from where this machine has them.
export NUGET_PACKAGES=$work/extracted
global=$(env -u NUGET_PACKAGES dotnet nuget locals global-packages --list | sed 's/^global-packages: //')
cat > "$work/nuget.config" <<CONFIG
<configuration>
  <fallbackPackageFolders><add key="machine" value="$global" /></fallbackPackageFolders>
</configuration>
CONFIG
cd "$work"

say "the tool"
dotnet tool install CoPe.Cli --tool-path "$work/tool" --source "$feed"
./tool/cope demo
[ -s runs/demo/results.json ] && [ -s runs/demo/report.html ] || fail "the demo left no results"
"$root/build/check-readme-figures.sh" "$root/README.md" runs/demo
cp -r "$root/models/cope-tiny" models/

project() { # project NAME DOCUMENT N: the project file that a document has
  mkdir "$1"
  code "$2" xml "$3" > "$1/$1.csproj"
  grep -q PackageReference "$1/$1.csproj" || fail "$2 has no project file with packages as its block $3"
}

say "the console program of README.md"
project mine docs/library.md 1
code README.md csharp 1 > mine/Program.cs
dotnet build mine -c Release -v quiet -warnaserror
headline=$(as_reader mine/bin dotnet mine/bin/Release/net10.0/mine.dll models/cope-tiny runs/demo "The river rose.")
chmod -R u+w mine/bin
[ -n "$headline" ] || fail "README.md's program wrote nothing"
say "$headline"

say "the chat client of docs/library.md"
{
  echo 'using CoPe.Serving; using Microsoft.Extensions.AI; using Microsoft.Extensions.DependencyInjection;'
  echo 'var (services, output) = (new ServiceCollection(), Console.Out);'
  code docs/library.md csharp 1
} > mine/Program.cs
dotnet add mine package Microsoft.Extensions.DependencyInjection --version 10.0.9 > /dev/null
dotnet build mine -c Release -v quiet
answer=$(as_reader mine/bin dotnet mine/bin/Release/net10.0/mine.dll)
[ -n "$answer" ] || fail "docs/library.md's chat client wrote nothing"

say "the application of docs/serving.md, published for this system"
project site docs/serving.md 1
code docs/serving.md csharp 2 > site/Program.cs
dotnet publish site -c Release -r linux-x64 --no-self-contained -o site/out -v quiet -warnaserror
ASPNETCORE_URLS=http://127.0.0.1:0 as_reader site/out dotnet site/out/site.dll > site.log & server=$!
for _ in $(seq 60); do
  address=$(sed -n 's/.*Now listening on: //p' site.log)
  [ -z "$address" ] || break
  kill -0 "$server" || fail "the application ended: $(cat site.log)"
  sleep 1
done
answer=$(curl -sS "$address/v1/chat/completions" \
  -d '{"model": "7", "max_tokens": 8, "messages": [{"role": "user", "content": "Write a headline"}]}')
grep -q '"completion_tokens":[1-8]\b' <<< "$answer" || fail "the application answered: $answer"
say "$answer"

say "cope, published as a folder"
dotnet publish "$root/src/CoPe.Cli" -c Release "${build[@]}" -o "$work/published" -v quiet
(as_reader published ./published/cope status runs/demo)

say "README.md's own command, which resumes the run that the tool made"
dotnet run -c Release "${build[@]}" --project "$root/src/CoPe.Cli" -- demo --run "$work/runs/demo" > again.txt
grep -q CoPe again.txt || fail "the demo shows no table: $(cat again.txt)"
say "all packages work"
