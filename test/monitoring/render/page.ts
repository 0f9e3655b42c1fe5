import type { Dashboard, Panel } from '../../../tools/monitoring/dashboards/grafana.ts'
import { askInstant, askRange } from '../ask.ts'
import type { Series, View } from '../ask.ts'
import type { Named } from './graph.ts'
import { panelBody } from './panel.ts'
import { html } from './text.ts'

/** Pixels of a column, of a line of the grid, and around a panel. */
const COLUMN = 60
const LINE = 38
const GAP = 8
const HEAD = 46

/** The dashboard as one page of HTML, with what Prometheus answers now. Gives its size in pixels, too. */
export async function page(
  d: Dashboard,
  view: View,
): Promise<{ html: string; width: number; height: number }> {
  const parts: string[] = []
  let lines = 0
  for (const panel of d.panels) {
    const { x, y, w, h } = panel.gridPos
    lines = Math.max(lines, y + h)
    const place = `left:${x * COLUMN + GAP}px;top:${y * LINE + HEAD}px;width:${w * COLUMN - GAP}px;height:${h * LINE - GAP}px`
    if (panel.type === 'row') {
      parts.push(`<div class="row" style="${place}">${html(panel.title)}</div>`)
      continue
    }
    const box = { width: w * COLUMN - GAP - 16, height: h * LINE - GAP - 34 }
    const body = panelBody(panel, await answersOf(panel, view), view, box)
    parts.push(`<div class="panel" style="${place}"><h3>${html(panel.title)}</h3>${body}</div>`)
  }
  const width = 24 * COLUMN + GAP
  const height = lines * LINE + HEAD + GAP
  const time = (s: number) => new Date(s * 1000).toISOString().slice(0, 16).replace('T', ' ')
  const head = `<h1>${html(d.title)}<span>${time(view.from)} to ${time(view.to)} UTC</span></h1>`
  return {
    html: `<!doctype html><meta charset="utf-8"><style>${STYLE}</style>${head}${parts.join('')}`,
    width,
    height,
  }
}

async function answersOf(panel: Panel, view: View): Promise<Named[][]> {
  const answers: Named[][] = []
  for (const { expr, range, legendFormat } of panel.targets) {
    const series = await (range ? askRange : askInstant)(expr, view)
    answers.push(series.map((s) => ({ ...s, name: legend(legendFormat, s) })))
  }
  return answers
}

function legend(format: string, { labels }: Series): string {
  return format.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? '')
}

const STYLE = `
body{margin:0;background:#f4f5f5;font:13px/1.4 "DejaVu Sans",sans-serif;color:#24292e}
h1{position:absolute;left:8px;top:4px;margin:0;font-size:18px;font-weight:500}
h1 span{margin-left:24px;font-size:13px;color:#6e7681}
.row{position:absolute;font-size:15px;font-weight:600;line-height:30px}
.panel{position:absolute;background:#fff;border:1px solid #e3e5e8;border-radius:3px;box-sizing:border-box;padding:4px 8px;overflow:hidden}
h3{margin:0;font-size:13px;font-weight:600;line-height:22px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
svg text{font-size:11px;fill:#57606a}
.none{display:flex;height:70%;align-items:center;justify-content:center;color:#8b949e}
.stat{display:flex;height:75%;align-items:center;justify-content:space-around;text-align:center}
.stat b{font-size:30px;font-weight:500;white-space:nowrap;letter-spacing:-1px}
.stat.many b{font-size:24px}
.stat small{display:block;color:#57606a}
.legend{font-size:11px;line-height:18px}
.legend span{margin-right:12px;white-space:nowrap;display:inline-block}
.legend i{display:inline-block;width:12px;height:3px;margin-right:5px;vertical-align:middle}
table{width:100%;border-collapse:collapse;font-size:12px}
.table th{text-align:left;color:#1f60c4;border-bottom:1px solid #e3e5e8;padding:3px 6px}
.table td{border-bottom:1px solid #eef0f2;padding:3px 6px;white-space:nowrap}
.bars td{padding:3px 4px;white-space:nowrap}
.bars td.bar{width:65%}
.bars td.bar div{height:18px;opacity:.8}
`
