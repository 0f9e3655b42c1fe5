/** Style of the report: one column, light and dark as the reader's system has it. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --text: #1a1d21; --muted: #5d6673; --line: #d9dee5;
  --plan0: #0b6bcb; --plan1: #c4320a; --plan2: #6b7280; --plan3: #0e8a5f; --plan4: #7a3fb8;
  --tier0: #d6453d; --tier1: #e0951f; --tier2: #3b7dd8; --tier3: #6d8fb3; --tier4: #8a9199;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171b; --card: #1d2127; --text: #e8eaed; --muted: #9aa4b2; --line: #343b45;
    --plan0: #5aa9f5; --plan1: #ff8a5c; --plan2: #a3abb8; --plan3: #4cc79a; --plan4: #c193f0;
    --tier0: #ef6a61; --tier1: #f0b04a; --tier2: #6aa5f0; --tier3: #8fb0d1; --tier4: #a9b0b8;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 24px 16px 48px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 0 0 4px; }
p { margin: 4px 0; } .muted { color: var(--muted); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 16px; margin-top: 16px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 12px; margin-top: 16px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; }
.tile b { display: block; font-size: 26px; line-height: 1.25; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 13.5px; }
th, td { padding: 5px 8px; text-align: right; border-bottom: 1px solid var(--line); vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; } td { white-space: nowrap; } th { color: var(--muted); font-weight: 600; }
tbody tr:first-child td { font-weight: 600; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--text); font-size: 12px; } svg .axis { fill: var(--muted); font-size: 11px; }
svg .grid { stroke: var(--line); stroke-width: 1; } svg .halo { paint-order: stroke; stroke: var(--card); stroke-width: 4px; }
svg .curve { fill: none; stroke-width: 2; }
svg .demand { fill: none; stroke: var(--text); stroke-width: 1; }
svg .limit { stroke: var(--muted); stroke-dasharray: 4 3; stroke-width: 1; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 6px 0; font-size: 13px; }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 6px; vertical-align: -1px; }
.volumes { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(480px, 100%), 1fr)); gap: 16px; }
`
