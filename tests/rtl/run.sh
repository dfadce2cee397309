#!/bin/sh
# Simulates the Verilog array for a set of shapes and writes one CSV row for each: cycles, edge counts and outputs.
# Usage: run.sh [FILE]; without FILE, the committed reference is rewritten. Needs Icarus Verilog (Debian package iverilog).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${1:-$here/../Systolic.Tests/Reference/rtl_array.csv}
for tool in iverilog vvp; do
    if ! command -v "$tool" > /dev/null; then
        echo "run.sh: $tool not found; expected Icarus Verilog on the path (Debian: apt-get install iverilog)" >&2
        exit 3
    fi
done
version=$(iverilog -V | sed -n '1s/.*version \([0-9.]*\).*/\1/p')
date=$(date -u +%Y-%m-%d)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

# rows columns M K N
shapes='
1 1 1 1 1
1 1 3 4 2
1 4 3 5 9
4 1 5 9 3
4 1 1 9 3
2 3 5 7 6
3 2 1 1 1
3 2 2 8 5
4 4 1 1 1
4 4 1 4 4
4 4 3 4 4
4 4 4 4 4
4 4 4 9 6
4 4 16 8 8
4 4 9 5 7
5 7 3 11 15
7 5 2 15 11
8 8 8 8 8
8 8 1 20 17
8 8 20 17 9
'
echo "tool,version,date,rows,columns,overlap,m,k,n,cycles,left_reads,top_reads,bottom_writes,output" > "$build/out.csv"
for overlap in 0 1; do
    echo "$shapes" | while read -r r c m k n; do
        [ -n "$r" ] || continue
        iverilog -g2012 -Wall -Wno-timescale -s testbench -o "$build/sim" \
            -Ptestbench.R="$r" -Ptestbench.C="$c" -Ptestbench.OVERLAP="$overlap" -Ptestbench.M="$m" -Ptestbench.K="$k" -Ptestbench.N="$n" \
            "$here/cell.v" "$here/delay.v" "$here/array.v" "$here/sequencer.v" "$here/testbench.v" 2> "$build/log" || { cat "$build/log" >&2; exit 1; }
        row=$(vvp -n "$build/sim")
        echo "Icarus Verilog,$version,$date,$row" >> "$build/out.csv"
    done
done
mv "$build/out.csv" "$target"
echo "run.sh: $(($(wc -l < "$target") - 1)) rows in $target"
