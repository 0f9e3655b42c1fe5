import type { Terminal } from '../cli/terminal.ts'

/** The process's own streams. Progress shows only where standard error is a terminal. */
export const systemTerminal: Terminal = {
  get columns() {
    // a container's terminal says 0 until its size is set
    return process.stdout.columns || undefined
  },
  out: (text) => void process.stdout.write(text),
  note: (text) => void process.stderr.write(text),
  progress: (text) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
  },
}
