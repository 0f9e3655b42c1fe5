import type { AuditSink } from '../src/audit/audit.ts'
import { AuditReader } from '../src/audit/read.ts'
import type { AuditedCall } from '../src/audit/read.ts'

/** The lines of all processes of a test, on a disk that can be full. */
export class AuditLines implements AuditSink {
  text = ''
  /** Asked before each write; what it throws is what the disk answers. */
  before: (lines: string) => void = () => {}

  write(lines: string): Promise<void> {
    return Promise.resolve().then(() => {
      this.before(lines)
      this.text += lines
    })
  }

  calls(action?: string): readonly AuditedCall[] {
    return callsIn(this.text).filter((c) => action === undefined || c.action === action)
  }

  /** `id outcome` of each line about that action, in their order. */
  lines(action: string): string[] {
    return this.text
      .split('\n')
      .filter((line) => line.includes(`"action":"${action}"`))
      .map((line) => JSON.parse(line) as { id: string; outcome: string })
      .map(({ id, outcome }) => `${id} ${outcome}`)
  }
}

export function full(): never {
  throw new Error('ENOSPC: no space left on device, write')
}

/** What a reader makes of all of it. */
export function callsIn(text: string): readonly AuditedCall[] {
  const reader = new AuditReader()
  for (const line of text.split('\n')) reader.add(line)
  return reader.calls
}
