import type { TraceVolume } from './trace.ts'

/** Fitted to a week of 101 virtual disks: natural logarithms of the mean load in I/O operations per second and of GiB. */
const LOAD = { mean: 4.85, deviation: 1.37 }
const SIZE = { mean: 4.44, deviation: 1.32, correlation: 0.64 }
/** Bias of the cascade, amplitude of the day in natural logarithms, and the range of what a volume can do. */
const BIAS = { mean: 0.71, deviation: 0.11, least: 0.52, most: 0.92 }
const DAY_AMPLITUDE = 0.35
const IOPS = { least: 0.5, most: 20_000 }
const LEVELS = 8
const WINDOWS_PER_DAY = 48
const SECONDS_PER_WINDOW = 1800
const REGIME = { share: 0.3, deviation: 2 }

export type GeneratorOptions = {
  readonly seed: number
  readonly volumes: number
  /** Half-hour windows per volume. */
  readonly windows: number
  /** Give 30 % of the volumes one lasting change of load. */
  readonly regimeChanges?: boolean
}

/**
 * A synthetic fleet of half-hour windows: load and size correlated and lognormal, the shape of a volume a
 * self-similar cascade (b-model) times a daily wave. The same seed gives the same fleet.
 */
export function generateTrace(options: GeneratorOptions): readonly TraceVolume[] {
  const random = randomOf(options.seed)
  const width = String(options.volumes).length
  return Array.from({ length: options.volumes }, (_, i) =>
    volume(`g${String(i + 1).padStart(width, '0')}`, options, random),
  )
}

function volume(id: string, options: GeneratorOptions, random: () => number): TraceVolume {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const a = normal()
  const mean = Math.exp(LOAD.mean + LOAD.deviation * a)
  const own = Math.sqrt(1 - SIZE.correlation ** 2) * normal()
  const size = Math.exp(SIZE.mean + SIZE.deviation * (SIZE.correlation * a + own))
  const bias = Math.min(BIAS.most, Math.max(BIAS.least, BIAS.mean + BIAS.deviation * normal()))
  const amplitude = Math.abs(DAY_AMPLITUDE * normal())
  const phase = 2 * Math.PI * random()
  const shape: number[] = []
  while (shape.length < options.windows) shape.push(...cascade(bias, random))
  shape.length = options.windows
  const wave = shape.map(
    (v, t) => v * Math.exp(amplitude * Math.cos((2 * Math.PI * t) / WINDOWS_PER_DAY + phase)),
  )
  const scale = (mean * wave.length) / wave.reduce((sum, v) => sum + v, 0)
  const changes = options.regimeChanges === true && random() < REGIME.share
  const step = changes ? Math.exp(REGIME.deviation * normal()) : 1
  const changeAt = changes ? Math.floor((0.25 + 0.5 * random()) * wave.length) : Infinity
  const iops = wave.map((v, t) => clip(v * scale * (t < changeAt ? 1 : step)))
  return {
    id,
    sizeGiB: Math.max(1, Math.round(size)),
    operations: Float64Array.from(iops, (x) => x * SECONDS_PER_WINDOW),
  }
}

function clip(iops: number): number {
  return Math.min(IOPS.most, Math.max(IOPS.least, iops))
}

/** 256 windows: each half of a stretch gets `bias` of its load, or the rest. */
function cascade(bias: number, random: () => number): readonly number[] {
  let shares = [1]
  for (let level = 0; level < LEVELS; level++)
    shares = shares.flatMap((v) =>
      random() < 0.5 ? [v * bias, v * (1 - bias)] : [v * (1 - bias), v * bias],
    )
  return shares
}

/** Uniform in [0, 1): mulberry32, good enough for shapes and the same everywhere. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
