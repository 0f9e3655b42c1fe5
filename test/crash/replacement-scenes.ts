import type { HttpRequest } from '../../src/http.ts'
import { Replacement } from './replacing.ts'

/** The request by which the PersistentVolume of that shape is created. */
function creates(request: HttpRequest | undefined, shape: 'held' | 'copy'): boolean {
  const { method, url, body = '' } = request ?? { method: '', url: '' }
  if (method !== 'POST' || !/\/persistentvolumes\?/.test(url) || /dryRun/.test(url)) return false
  return body.includes('parked.couchestor.io') === (shape === 'held')
}

async function podDuring(scene: Replacement, isNow: boolean): Promise<void> {
  if (isNow) await scene.once('the Pod needs it', () => scene.startPod())
  await scene.runPod()
}

/** Each from the record to the end, forwards or back. */
export const REPLACEMENTS: Readonly<Record<string, () => Replacement>> = {
  'a claim gets a copy': () => new Replacement({ end: 'Succeeded/Verified', keeps: 'copy' }),
  'a claim gets a copy by way of a backup': () =>
    new Replacement({
      end: 'Succeeded/Verified',
      keeps: 'copy',
      via: 'backup',
      // up to there it goes as by clone
      acts: async (scene, request) => {
        if (request?.body?.includes('"act":"createBackup"') === true)
          await scene.once('backup', () => Promise.resolve())
      },
    }),
  'a Pod needs the claim while its copy is backed up': () =>
    new Replacement({
      end: 'Failed/ClaimNeeded',
      keeps: 'original',
      via: 'backup',
      acts: (scene) => podDuring(scene, scene.step() === 'Copying' && scene.isBackedUp()),
    }),
  'a CronJob writes to the copy while both volumes are kept': () =>
    new Replacement({
      end: 'Succeeded/Verified',
      keeps: 'copy',
      acts: (scene) => podDuring(scene, scene.step() === 'Soaking'),
    }),
  'a Pod needs the claim while it is copied': () =>
    new Replacement({
      end: 'Failed/ClaimNeeded',
      keeps: 'original',
      acts: (scene) => podDuring(scene, scene.step() === 'Copying' && scene.isCopied()),
    }),
  'a person cancels the copy': () =>
    new Replacement({
      end: 'Failed/Cancelled',
      keeps: 'original',
      acts: async (scene) => {
        if (scene.step() === 'Copying') await scene.once('cancel', () => scene.cancel())
      },
    }),
  'a person rolls back after a CronJob has written to the copy': () =>
    new Replacement({
      end: 'Failed/RolledBack',
      keeps: 'original',
      acts: async (scene) => {
        await podDuring(scene, scene.step() === 'Soaking')
        if (scene.done.has('the Pod has run')) await scene.once('rollback', () => scene.rollback())
      },
    }),
  'the claim is deleted in the gap before it is held': () =>
    new Replacement({
      end: 'Failed/ClaimDeleted',
      keeps: 'nothing',
      acts: async (scene, request) => {
        if (creates(request, 'held')) await scene.once('delete', () => scene.deleteClaim())
      },
    }),
  'the claim is deleted in the gap before the copy': () =>
    new Replacement({
      end: 'Failed/ClaimDeleted',
      keeps: 'both',
      reclaim: 'Retain',
      acts: async (scene, request) => {
        if (creates(request, 'copy')) await scene.once('delete', () => scene.deleteClaim())
      },
    }),
  'the claim is deleted while both volumes are kept': () =>
    new Replacement({
      end: 'Failed/ClaimDeleted',
      keeps: 'nothing',
      acts: async (scene) => {
        if (scene.step() === 'Soaking') await scene.once('delete', () => scene.deleteClaim())
      },
    }),
  'the move is deleted while the claim is copied': () =>
    new Replacement({
      end: 'Failed/Cancelled',
      keeps: 'original',
      acts: async (scene) => {
        if (scene.step() === 'Copying') await scene.once('delete', () => scene.deleteMove())
      },
    }),
}

/** However it ends: a CronJob comes in that step. */
export function withCronJob(step: string): Replacement {
  return new Replacement({
    end: 'Succeeded/Verified',
    keeps: 'copy',
    acts: (scene) => podDuring(scene, scene.step() === step),
  })
}
