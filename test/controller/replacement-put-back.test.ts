import { expect, it } from 'vitest'
import type { KubeJson } from '../../src/sim/apiserver/types.ts'
import type { JournalEntry } from '../../src/migration/snapshot-restore/saved.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

const CHECKPOINTS = '/apis/couchestor.io/v1alpha1/tieringcheckpoints'
const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    containers: [{ name: 'main', image: 'none' }],
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
  },
  status: { phase: 'Pending' },
} as const

type Journal = readonly JournalEntry[]
const isDone = (act: JournalEntry['act']) => (journal: Journal) =>
  journal.some((e) => e.act === act && e.state === 'Done')

/** A claim that is on its copy, and has written to it, with what a backup of etcd had of it earlier. */
class PutBack {
  readonly stage = new Stage({ csi: true })
  readonly volume: ReturnType<Stage['claim']>
  copy = ''
  #backup: readonly KubeJson[] = []
  #run: ReturnType<Stage['start']>

  constructor() {
    this.stage.policy({ mode: 'Approve' })
    this.volume = this.stage.claim({ name: 'data' })
    this.stage.cloud.write(this.volume.id, 'former')
    this.stage.move('m', { claim: { name: 'data' }, to: 'cold', strategy: 'snapshot-restore' })
    this.#run = this.stage.start()
  }

  async written(isBackedUp: (journal: Journal) => boolean): Promise<void> {
    const { stage, volume } = this
    const journal = (): Journal => {
      const { spec } = (this.#record() ?? {}) as {
        spec?: { replacement: { saved: { journal: Journal } } }
      }
      return spec?.replacement.saved.journal ?? []
    }
    if (!(await stage.until(() => isBackedUp(journal()), HOUR, 50)))
      throw new Error('it never came to the backup')
    this.#backup = structuredClone([
      this.#record()!,
      stage.object('/api/v1/persistentvolumes', volume.pv)!,
      stage.pvc('data'),
      stage.moves('data')[0]!,
    ]) as readonly KubeJson[]
    if (!(await stage.until(() => this.step() === 'Soaking', HOUR)))
      throw new Error('the claim never came to the copy')
    this.copy = this.handle()
    stage.cloud.attach(this.copy, 'server-1')
    stage.cloud.write(this.copy, 'newest')
    await stage.clock.advance(MINUTE)
  }

  async putBack(afterMs: number): Promise<void> {
    await this.#run.stop()
    await this.stage.clock.advance(afterMs)
    for (const object of this.#backup) this.stage.world.api.seed(object)
  }

  async next(): Promise<void> {
    this.#run = this.stage.start({ identity: 'second' })
    await this.stage.until(() => false, 2 * HOUR, MINUTE)
  }

  handle(): string {
    const pv = this.stage.object('/api/v1/persistentvolumes', this.volume.pv)
    const { spec } = (pv ?? {}) as { spec?: { csi: { volumeHandle: string } } }
    return spec?.csi.volumeHandle ?? ''
  }

  step(): string | undefined {
    return this.stage.moves('data')[0]?.status?.step
  }

  data(): string | undefined {
    const { cloud } = this.stage
    return cloud.volume(this.copy) && cloud.data(this.copy)
  }

  #record(): KubeJson | undefined {
    return this.stage.world.api
      .objects(CHECKPOINTS)
      .find((c) => c.metadata.name.startsWith('replacement-'))
  }
}

const COPIED = isDone('cloneVolume')

it.each([
  ['when the copy had been made, for a Pod', COPIED, { pod: true }],
  [
    'when the copy had been made, for a Pod while it is still attached',
    COPIED,
    { pod: true, attached: true },
  ],
  ['when the copy had been made, past the deadline', COPIED, { hours: 30 }],
  ['when there was no copy yet', isDone('createSnapshot'), {}],
  ['when there was no copy yet, for a Pod', isDone('createSnapshot'), { pod: true }],
  ['when the copy had just been marked, for a Pod', isDone('markTakenOver'), { pod: true }],
] as const)(
  'a cluster that is put back to %s gives the former volume back, and keeps the copy with the newest data until a person deletes it',
  async (_, isBackedUp, trouble: { pod?: true; attached?: true; hours?: number }) => {
    const scene = new PutBack()
    const { stage, volume } = scene
    await scene.written(isBackedUp)
    if (trouble.attached === undefined) stage.cloud.detach(scene.copy)
    await scene.putBack((trouble.hours ?? 0) * HOUR)
    if (trouble.pod === true) stage.world.api.seed(POD)
    await scene.next()
    expect(scene.handle()).toBe(volume.id)
    if (trouble.attached === true) stage.cloud.detach(scene.copy)
    await stage.until(() => false, 2 * HOUR, MINUTE)
    expect(scene.data()).toBe('newest')
    expect(scene.step()).toBe('CleaningUp')
    expect(stage.moves('data')[0]?.status?.message).toContain(
      `copy ${scene.copy} has been taken over`,
    )
    expect(stage.cloud.volumes()).toHaveLength(2)

    expect(stage.cloud.deleteVolume(scene.copy)).toBe(true)
    expect(await stage.until(() => scene.step() === 'Failed', HOUR, MINUTE)).toBe(true)
    expect(stage.cloud.volumes().map((v) => v.id)).toEqual([volume.id])
    expect(stage.cloud.snapshots()).toEqual([])
  },
)

it('a cluster that is put back to when the copy had been made gives it to the claim once more, if nothing else is wanted', async () => {
  const scene = new PutBack()
  await scene.written(COPIED)
  scene.stage.cloud.detach(scene.copy)
  await scene.putBack(0)
  await scene.next()
  expect(scene.step()).toBe('Soaking')
  expect(scene.handle()).toBe(scene.copy)
  expect(scene.data()).toBe('newest')
})
