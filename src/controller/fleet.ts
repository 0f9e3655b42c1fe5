import { attachmentOf } from '../activity/attachment.ts'
import type { Fleet, SourceName } from '../activity/types.ts'
import type { Managed } from './managed.ts'

/** Where the volumes are attached whose policies name `source`, as Cinder was last seen. */
export function fleetOf(managed: Managed, source: SourceName): Fleet {
  return {
    *attachments() {
      for (const { match, bound } of managed.all())
        if (match.policy?.effective.metrics.source === source && bound?.row !== undefined)
          yield* bound.row.attachments.map((a) => attachmentOf(bound.volume.handle, a))
    },
  }
}
