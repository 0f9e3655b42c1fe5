/** Operations per second as a function of the hours since the day began; history has negative hours. */
export type Load = (hour: number) => number

export type FleetClaim = {
  readonly namespace: string
  readonly name: string
  readonly sizeGiB: number
  readonly tier: 'hot' | 'warm' | 'cold'
  readonly load: Load
  /** Policy by annotation (default: by label). */
  readonly policy?: string
}

/** The claims that the scenes of the day are about. */
export const ACTORS = {
  forced: 'platform/sessions',
  reverted: 'media/thumbnails',
  snapshot: 'shop/orders-2023',
  killed: 'analytics/warehouse',
  detached: 'billing/ledger-db',
  sale: 'shop/cart-db',
} as const

export const SALE_HOUR = 7
export const DETACH_HOUR = 15
const RETENTION_HOURS = 72

const steady =
  (iops: number): Load =>
  () =>
    iops
const office =
  (day: number, night: number): Load =>
  (h) =>
    between(h, 8, 18) ? day : night
const nightly =
  (peak: number, rest: number): Load =>
  (h) =>
    between(h, 1, 5) ? peak : rest
/** Quiet all the day before, then the sale. */
const sale =
  (quiet: number, rush: number): Load =>
  (h) =>
    h >= SALE_HOUR && h < 24 ? rush : quiet
/** One batch, so long ago that the tier's retention ends at `hour` of the day. */
const quietUntil =
  (hour: number, batch: number): Load =>
  (h) =>
    h >= hour - RETENTION_HOURS - 1 && h < hour - RETENTION_HOURS ? batch : 3
const stops =
  (hour: number, iops: number): Load =>
  (h) =>
    h < hour ? iops : 0

function between(hour: number, from: number, to: number): boolean {
  const ofDay = ((hour % 24) + 24) % 24
  return ofDay >= from && ofDay < to
}

type Row = readonly [
  key: string,
  tier: FleetClaim['tier'],
  sizeGiB: number,
  load: Load,
  policy?: string,
]

const ROWS: readonly Row[] = [
  ['shop/orders-db', 'hot', 200, office(2600, 400)],
  ['shop/cart-db', 'warm', 100, sale(300, 6000)],
  ['shop/vouchers', 'cold', 40, sale(4, 700)],
  ['shop/search-index', 'hot', 120, office(1800, 700)],
  ['shop/product-images', 'warm', 400, office(500, 60)],
  ['shop/reviews-db', 'warm', 80, office(350, 30)],
  ['shop/orders-2023', 'hot', 300, quietUntil(3, 1400)],
  ['shop/recommender', 'hot', 60, steady(1500)],
  ['billing/ledger-db', 'hot', 120, stops(DETACH_HOUR, 6), 'cautious'],
  ['billing/invoices-db', 'cold', 150, office(520, 180)],
  ['billing/payments-db', 'hot', 100, steady(1900)],
  ['billing/dunning', 'warm', 60, nightly(450, 20)],
  ['billing/tax-2022', 'hot', 200, steady(1)],
  ['billing/tax-2023', 'warm', 200, steady(2)],
  ['analytics/warehouse', 'hot', 800, quietUntil(10, 1800)],
  ['analytics/clickstream', 'hot', 600, steady(3200)],
  ['analytics/staging-q1', 'hot', 400, quietUntil(5, 1600)],
  ['analytics/staging-q2', 'hot', 350, quietUntil(8, 1500)],
  ['analytics/notebooks', 'warm', 150, office(260, 15)],
  ['analytics/features', 'warm', 250, steady(450)],
  ['analytics/exports', 'cold', 500, steady(12)],
  ['media/originals', 'cold', 900, steady(25)],
  ['media/thumbnails', 'hot', 180, steady(4)],
  ['media/transcodes', 'hot', 450, nightly(2800, 400)],
  ['media/trailers', 'hot', 250, steady(2)],
  ['media/podcasts', 'cold', 300, steady(18)],
  ['media/raw-footage', 'warm', 700, quietUntil(17, 300)],
  ['media/cdn-cache', 'hot', 160, steady(2200)],
  ['platform/gitlab', 'warm', 180, office(420, 40)],
  ['platform/registry', 'warm', 320, office(300, 80)],
  ['platform/prometheus', 'hot', 140, steady(1700)],
  ['platform/loki', 'warm', 260, steady(520)],
  ['platform/artifacts', 'cold', 600, steady(30)],
  ['platform/backups', 'cold', 1000, nightly(60, 2)],
  ['platform/sessions', 'warm', 50, office(300, 40)],
  ['platform/test-db', 'hot', 90, quietUntil(13, 1200)],
  ['platform/wiki', 'cold', 40, office(35, 3)],
  ['platform/mail', 'warm', 100, office(240, 20)],
]

/** Some dozens of claims with two weeks of history and a day before them. Always the same. */
export const FLEET: readonly FleetClaim[] = ROWS.map(([key, tier, sizeGiB, load, policy], i) => {
  const [namespace = '', name = ''] = key.split('/')
  return {
    namespace,
    name,
    sizeGiB,
    tier,
    load: (hour) => load(hour) * wobble(Math.floor(hour * 12), i),
    ...(policy === undefined ? {} : { policy }),
  }
})

/** No disk is busy to the same degree for hours: plus or minus 15 %, the same in every run. */
function wobble(step: number, seed: number): number {
  const x = Math.sin(step * 12.9898 + seed * 78.233) * 43_758.5453
  return 0.85 + 0.3 * (x - Math.floor(x))
}
