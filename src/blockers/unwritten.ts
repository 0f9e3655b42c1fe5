import { stated } from './blocker.ts'

/** `why` is what the API server said when an object that the move needs was last written. */
export const unwritten = stated(
  {
    WriteRefused:
      'The API server refuses an object that the move needs (quota, admission webhook, a namespace that is going); it is tried again with growing pauses.',
  },
  ({ object, why }: { readonly object: string; readonly why: string | undefined }) =>
    why === undefined
      ? undefined
      : { reason: 'WriteRefused', message: `${object} cannot be written: ${why}` },
)
