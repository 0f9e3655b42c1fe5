import type { Timer } from '../../clock.ts'
import type { BackendRow, VolumeRow } from './model.ts'
import { RESERVATION_MS } from './request-retype.ts'
import type { RetypeJob } from './request-retype.ts'
import { chooseForRetype } from './scheduler.ts'
import { backendAt, dropVolume, place, save } from './state.ts'
import type { State } from './state.ts'

/** What a test may order for the next retype of a volume. */
export type PlannedOutcome =
  /** Back to the old type right after the scheduler, as without a valid backend. */
  | 'revert'
  /** Back to the old type when the copy ends; admin-only `migration_status` is `error`. */
  | 'revertAfterCopy'
  /** `retyping` for ever: the message to the volume service is lost. */
  | 'stuck'

type Running = { readonly job: RetypeJob; timer: Timer | undefined; copying: boolean }

/** The asynchronous half of a retype. */
export type Migrations = {
  start(job: RetypeJob): void
  planNext(volumeId: string, outcome: PlannedOutcome | undefined): void
  /** cinder-volume dies: every copy under way stops and its volume stays `retyping`. Returns their ids. */
  killCopies(): readonly string[]
  /** Ids of the volumes whose retype is not over; stuck ones are not among them. */
  running(): readonly string[]
}

/** An engine without jobs; it moves volumes by the state's clock. */
export function createMigrations(state: State): Migrations {
  const jobs = new Map<string, Running>()
  const planned = new Map<string, PlannedOutcome>()

  const later = (running: Running, ms: number, next: () => void) => {
    running.timer = state.clock.setTimer(ms, next)
  }
  const finish = (running: Running, commit: boolean) => {
    jobs.delete(running.job.volume.id)
    if (commit) return running.job.reservation.commit()
    // the rollback looks in the caller's project, and does not find that of another one
    if (running.job.callerProject !== running.job.volume.projectId) return expire(running)
    running.job.reservation.rollback()
  }
  // nobody will ever settle the reservation; it holds quota until it expires
  const expire = ({ job }: Running) =>
    void state.clock.setTimer(RESERVATION_MS, () => job.reservation.rollback())
  const abandon = (running: Running) => {
    jobs.delete(running.job.volume.id)
    expire(running)
  }
  const revert = (running: Running, migrationStatus?: 'error') => {
    const { volume } = running.job
    save(state, volume, {
      status: volume.previousStatus ?? 'available',
      ...(migrationStatus && { migrationStatus }),
    })
    finish(running, false)
  }

  const schedule = (running: Running) => {
    const { volume, target, policy } = running.job
    const outcome = planned.get(volume.id)
    planned.delete(volume.id)
    if (outcome === 'stuck') return abandon(running)
    const backend = chooseForRetype(state, volume, target, policy)
    if (outcome === 'revert' || !backend) return revert(running)
    if (backend.host === volume.host && target.encrypted === volume.encrypted)
      return later(running, state.latencies.relabel, () => relabel(running))
    if (policy === 'never' || state.snapshots.of(volume.id).length > 0) return revert(running)
    copy(running, backend, outcome === 'revertAfterCopy')
  }

  const relabel = (running: Running) => {
    const { volume, target } = running.job
    save(state, volume, { typeId: target.id, status: volume.previousStatus ?? 'available' })
    finish(running, true)
  }

  const copy = (running: Running, backend: BackendRow, fails: boolean) => {
    const { volume } = running.job
    const route = routeOf(state, running.job)
    if (route === 'refused') return revert(running, 'error')
    save(state, volume, { migrationStatus: 'migrating' })
    const twin =
      route === 'unsafe' || route === 'assisted' ? undefined : addTwin(state, running.job, backend)
    running.copying = true
    later(running, copyMs(volume, backend), () => {
      running.copying = false
      if (fails) {
        if (twin) dropVolume(state, twin)
        return revert(running, 'error')
      }
      if (route === 'unsafe') loseData(state, volume)
      if (twin) complete(running, backend, twin)
      else settle(running, backend)
    })
  }

  /** Driver-assisted: the row changes in one go, nothing else was ever there. */
  const settle = (running: Running, backend: BackendRow) => {
    const { volume } = running.job
    become(state, running.job, backend)
    save(state, volume, {
      status: volume.previousStatus ?? 'available',
      migrationStatus: 'success',
    })
    finish(running, true)
  }

  /** Generic: the two rows trade places; the old data stays visible as a second row for a while. */
  const complete = (running: Running, backend: BackendRow, twin: VolumeRow) => {
    const { volume } = running.job
    const attached = volume.previousStatus === 'in-use'
    const oldTypeId = volume.typeId
    const oldHost = volume.host
    become(state, running.job, backend)
    place(state, twin, oldHost)
    save(state, twin, {
      typeId: oldTypeId,
      status: 'deleting',
      migrationStatus: 'deleting',
      description: `migration src for ${volume.id}`,
    })
    state.clock.setTimer(state.latencies.sourceRemoval, () => dropVolume(state, twin))
    const end = () => {
      save(state, volume, {
        status: volume.previousStatus ?? 'available',
        migrationStatus: 'success',
        attachmentsHidden: false,
      })
      finish(running, true)
    }
    if (!attached) return end()
    // the rows were traded with the twin's status, which is that of a volume nobody uses
    save(state, volume, {
      status: 'available',
      attachmentsHidden: true,
      migrationStatus: 'completing',
      nameId: twin.id,
    })
    later(running, state.latencies.completion, end)
  }

  return {
    start: (job) => {
      const running: Running = { job, timer: undefined, copying: false }
      jobs.set(job.volume.id, running)
      later(running, state.latencies.schedule, () => schedule(running))
    },
    planNext: (volumeId, outcome) => {
      if (outcome === undefined) planned.delete(volumeId)
      else planned.set(volumeId, outcome)
    },
    killCopies: () => {
      const hit = [...jobs.values()].filter((r) => r.copying)
      for (const running of hit) {
        running.timer?.cancel()
        abandon(running)
      }
      return hit.map((r) => r.job.volume.id)
    },
    running: () => [...jobs.keys()],
  }
}

type Route = 'assisted' | 'generic' | 'unsafe' | 'nova' | 'refused'

/** Which way the data goes, see `MigrationOptions`. */
function routeOf(state: State, job: RetypeJob): Route {
  const assistable = onlyBackendDiffers(state, job)
  if (job.volume.previousStatus !== 'in-use')
    return state.migration.detached === 'assisted' && assistable ? 'assisted' : 'generic'
  const { attached } = state.migration
  if (attached === 'unsafe') {
    if (assistable) return 'unsafe'
    return oneWriter(state, job) ? 'nova' : 'refused'
  }
  return attached === 'nova' && oneWriter(state, job) ? 'nova' : 'refused'
}

const oneWriter = (state: State, job: RetypeJob) =>
  state.attachments.of(job.volume.id).length === 1 && !job.volume.encrypted

/** The driver's own copy is taken only between types that differ in their backend and in nothing else. */
function onlyBackendDiffers(state: State, job: RetypeJob): boolean {
  const rest = (specs: Readonly<Record<string, string>>) =>
    JSON.stringify(
      Object.entries(specs)
        .filter(([k]) => k !== 'volume_backend_name' && k !== 'RESKEY:availability_zones')
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    )
  const old = state.types.get(job.volume.typeId)
  return (
    old !== undefined &&
    old.encrypted === job.target.encrypted &&
    rest(old.extraSpecs) === rest(job.target.extraSpecs)
  )
}

const copyMs = (volume: VolumeRow, backend: BackendRow) =>
  ((volume.sizeGiB * 1024) / backend.copyMiBps) * 1000

function become(state: State, job: RetypeJob, backend: BackendRow): void {
  place(state, job.volume, backend.host)
  save(state, job.volume, {
    typeId: job.target.id,
    encrypted: job.target.encrypted,
    availabilityZone: backend.availabilityZone,
    dependsOnSnapshot: null,
  })
}

/** The temporary volume: hidden from members by its migration status, and without quota. */
function addTwin(state: State, job: RetypeJob, backend: BackendRow): VolumeRow {
  const { volume, target } = job
  const twin: VolumeRow = {
    ...volume,
    id: state.ids.uuid(),
    createdAt: state.clock.now(),
    updatedAt: state.clock.now(),
    status: 'available',
    previousStatus: null,
    typeId: target.id,
    host: null,
    migrationStatus: `target:${volume.id}`,
    metadata: { ...volume.metadata },
    useQuota: false,
    nameId: null,
  }
  state.volumes.add(twin)
  place(state, twin, backendAt(state, backend.host)?.host ?? null)
  return twin
}

/** The client goes on writing to an image that is gone: what the volume holds is no longer what was written. */
function loseData(state: State, volume: VolumeRow): void {
  volume.data = `lost(${volume.data})`
  state.dangling.add(volume.id)
}
