import { fork } from 'node:child_process'
import type { ChildProcess, ForkOptions } from 'node:child_process'

/** A process of the benchmark that answers questions over its IPC channel. */
export type Part = {
  readonly process: ChildProcess
  ask<T>(op: string, argument?: unknown): Promise<T>
  /** Ends it and waits until it is gone. */
  end(): Promise<void>
}

type Question = { readonly id: number; readonly op: string; readonly argument: unknown }
type Answer = { readonly id: number; readonly value?: unknown; readonly error?: string }

/** Starts a module as a process of its own; its questions fail when it ends. */
export function startPart(module: string, args: readonly string[], options: ForkOptions): Part {
  const child = fork(module, args, options)
  const open = new Map<number, (answer: Answer) => void>()
  let asked = 0
  child.on('message', (answer: Answer) => {
    open.get(answer.id)?.(answer)
    open.delete(answer.id)
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  void exited.then(() => {
    for (const [id, settle] of open) settle({ id, error: `${module} ended (${child.exitCode})` })
  })
  return {
    process: child,
    ask: <T>(op: string, argument?: unknown) =>
      new Promise<T>((resolve, reject) => {
        const question: Question = { id: ++asked, op, argument }
        open.set(question.id, ({ value, error }) =>
          error === undefined ? resolve(value as T) : reject(new Error(`${op}: ${error}`)),
        )
        child.send(question)
      }),
    end: () => {
      child.kill('SIGTERM')
      const hard = setTimeout(() => child.kill('SIGKILL'), 10_000)
      return exited.then(() => clearTimeout(hard))
    },
  }
}

/** The other side: answers questions with what `handlers` return; questions it does not know are somebody else's. */
export function answerQuestions(
  handlers: Readonly<Record<string, (argument: never) => unknown>>,
): void {
  process.on('message', ({ id, op, argument }: Question) => {
    const handler = handlers[op]
    if (handler === undefined) return
    new Promise((resolve) => resolve(handler(argument as never))).then(
      (value) => process.send?.({ id, value }),
      (e: unknown) => process.send?.({ id, error: e instanceof Error ? e.stack : String(e) }),
    )
  })
}
