import type { QuotaRow } from './quota-report.ts'

/** A move of the plan that has not begun. Types by id. */
export type Flow = { readonly from: string; readonly to: string; readonly sizeGiB: number }

type Count = { readonly row: QuotaRow; used: number; limit: number }

/**
 * The limits with which all moves can be made one after the other, by row; `limits` are enough for the end, and those that are
 * missing are unlimited. Both types hold a volume during its move, so that full types which exchange volumes need more than
 * for the end. Small volumes go first: they make do with the least.
 */
export function inTurn(
  limits: ReadonlyMap<QuotaRow, number>,
  flows: readonly Flow[],
): ReadonlyMap<QuotaRow, number> {
  const counts = new Map<string, Count[]>()
  for (const [row, limit] of limits) {
    const ofType = counts.get(row.typeId) ?? []
    counts.set(row.typeId, [...ofType, { row, used: row.inUse + row.reserved, limit }])
  }
  const of = (typeId: string) => counts.get(typeId) ?? []
  const bySize = flows.toSorted((a, b) => b.sizeGiB - a.sizeGiB)
  const ways = [...Map.groupBy(bySize, ({ from, to }) => JSON.stringify([from, to])).values()]
  const lack = (flow: Flow) => Math.max(0, ...of(flow.to).map((c) => lacking(c, flow)))
  const next = () =>
    ways
      .filter((way) => way.length > 0)
      .toSorted((a, b) => lack(a.at(-1)!) - lack(b.at(-1)!))
      .at(0)
  for (let way = next(); way !== undefined; way = next()) {
    const flow = way.pop()!
    for (const count of of(flow.to)) {
      count.limit += Math.max(0, lacking(count, flow))
      count.used += needOf(count.row, flow)
    }
    for (const count of of(flow.from)) count.used -= needOf(count.row, flow)
  }
  return new Map([...counts.values()].flat().map(({ row, limit }) => [row, limit]))
}

function lacking({ row, used, limit }: Count, flow: Flow): number {
  return used + needOf(row, flow) - limit
}

function needOf({ key }: QuotaRow, { sizeGiB }: Flow): number {
  return key.startsWith('gigabytes') ? sizeGiB : 1
}
