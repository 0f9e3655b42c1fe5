/** The writing end of a response body: a stream that a consumer may leave at any moment, even while it waits. */
export type TextStream = AsyncIterable<string> & {
  push(text: string): void
  /** Ends the stream after what was pushed; with an error the consumer sees it thrown. */
  end(error?: Error): void
}

/** `onClose` is called once, when either side has ended the stream. */
export function textStream(onClose: () => void): TextStream {
  let queue: string[] = []
  let state: { error?: Error } | undefined
  let wake: (() => void) | undefined
  const close = (error?: Error) => {
    if (state !== undefined) return
    state = error === undefined ? {} : { error }
    onClose()
    wake?.()
  }
  const next = async (): Promise<IteratorResult<string, undefined>> => {
    for (;;) {
      if (queue.length > 0) {
        // one chunk for all that waits: a slow reader catches up in one step
        const value = queue.length === 1 ? queue[0]! : queue.join('')
        queue = []
        return { done: false, value }
      }
      if (state?.error !== undefined) throw state.error
      if (state !== undefined) return { done: true, value: undefined }
      await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  return {
    push: (text) => {
      if (state !== undefined) return
      queue.push(text)
      wake?.()
    },
    end: close,
    [Symbol.asyncIterator]: () => ({
      next,
      return: () => {
        queue = []
        close()
        return Promise.resolve({ done: true, value: undefined })
      },
    }),
  }
}
