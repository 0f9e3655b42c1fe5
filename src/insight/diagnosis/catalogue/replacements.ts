import type { CatalogueEntry } from '../groups.ts'

/** Moves that give a claim another volume, and what they leave behind. */
export const REPLACEMENTS = {
  RecordUnreadable: {
    group: 'replacements',
    severity: 'problem',
    meaning:
      'A TieringCheckpoint that a move goes by which gives its claim another volume cannot be read.',
    why: 'nothing is done with that move nor with its claim, which may be without its volume meanwhile',
    fix: 'docs/runbooks/replacement-stalled.md; put back what CoucheStor wrote, from a backup of the cluster, or run the version that wrote it',
  },
  RecordMissing: {
    group: 'replacements',
    severity: 'problem',
    meaning: 'The record that a move goes by which gives its claim another volume is gone.',
    why: 'the claim may be held or without its volume, and nothing more is done by itself',
    fix: 'docs/runbooks/replacement-stalled.md; an administrator must check claim and volumes',
  },
  ClaimLost: {
    group: 'replacements',
    severity: 'problem',
    meaning:
      'A claim has been without its PersistentVolume for over a minute while a move replaces it.',
    why: 'pods that need the claim stay Pending; its data is still in Cinder, and deleting the claim would lose sight of it',
    fix: 'docs/runbooks/claim-lost.md; leave claim and volumes as they are',
  },
  ReplacementRightMissing: {
    group: 'replacements',
    severity: 'problem',
    meaning:
      'A policy names the strategy snapshot-restore, and the controller lacks the rights that it takes.',
    why: 'none of its claims moves: each right is asked for before anything is touched',
    fix: 'kubectl apply -f deploy/snapshot-restore.yaml, which is the value strategies.snapshotRestore.enabled of the chart',
  },
  RestartRightMissing: {
    group: 'replacements',
    severity: 'problem',
    meaning:
      'A policy says migration.workloads: Restart, and the controller lacks the rights that it takes.',
    why: 'no workload is stopped: volumes that are moved detached only wait until they are detached by themselves',
    fix: 'kubectl apply -f deploy/workload-restart.yaml, which is the value workloads.restart.enabled of the chart',
  },
  FormerVolumeGone: {
    group: 'replacements',
    severity: 'warning',
    meaning: 'A move soaks, and Cinder does not show the former volume of its claim any more.',
    why: 'a rollback would find no volume to go back to',
    fix: 'do not roll back; the claim goes on with its copy, and the move ends by itself',
  },
  VolumesLeftBehind: {
    group: 'replacements',
    severity: 'warning',
    meaning:
      'Cinder has volumes or snapshots that moves of this cluster made, and that nothing in Kubernetes knows of.',
    why: 'they are paid for and hold quota',
    fix: 'couchestor clean --dry-run lists them; couchestor clean deletes what you choose',
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>
