export type Output = {
  write(text: string): void
  /** A terminal that may be drawn on; else plain lines. */
  readonly live: boolean
  readonly columns: number
}

export type Tone = 'plain' | 'good' | 'bad' | 'quiet' | 'strong'

const SGR: Record<Tone, string> = {
  plain: '',
  good: '\u001b[32m',
  bad: '\u001b[33m',
  quiet: '\u001b[2m',
  strong: '\u001b[1m',
}
const RESET = '\u001b[0m'
const INDENT = 19
const WIDEST = 80

/** Lines that stay, and below them, on a terminal, a few that are drawn again. */
export class Screen {
  readonly #out: Output
  #drawn = 0

  constructor(out: Output) {
    this.#out = out
    if (out.live) out.write('\u001b[?25l')
  }

  get live(): boolean {
    return this.#out.live
  }

  get width(): number {
    return Math.max(40, Math.min(WIDEST, this.#out.columns))
  }

  /** `text` is wrapped under itself; `more` follows on lines of its own, quieter. */
  line(time: string, label: string, tone: Tone, text: string, more = ''): void {
    const width = this.width - INDENT
    const [first = '', ...rest] = wrapped(text, width)
    const head = `  ${time.padEnd(5)}  ${this.#toned(tone, label.padEnd(INDENT - 9))}${first}`
    const under = (line: string, tint: Tone) => ' '.repeat(INDENT) + this.#toned(tint, line)
    this.text(
      head,
      ...rest.map((line) => under(line, 'plain')),
      ...wrapped(more, width).map((line) => under(line, 'quiet')),
    )
  }

  text(...lines: readonly string[]): void {
    this.#out.write(`${this.#erase()}${lines.map((l) => `${l.trimEnd()}\n`).join('')}`)
  }

  heading(text: string): void {
    this.text('', this.#toned('strong', text), '')
  }

  /** Replaces what was drawn last. Nothing without a terminal. */
  draw(lines: readonly string[]): void {
    if (!this.#out.live) return
    const cut = lines.map((line) => line.slice(0, this.width))
    this.#out.write(`${this.#erase()}${cut.map((l) => `${l}\n`).join('')}`)
    this.#drawn = lines.length
  }

  /** Leaves the terminal as it was found. */
  end(): void {
    if (this.#out.live) this.#out.write(`${this.#erase()}\u001b[?25h`)
  }

  #erase(): string {
    if (this.#drawn === 0) return ''
    const up = `\u001b[${this.#drawn}F\u001b[0J`
    this.#drawn = 0
    return up
  }

  #toned(tone: Tone, text: string): string {
    return this.#out.live && tone !== 'plain' ? `${SGR[tone]}${text}${RESET}` : text
  }
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else if (word !== '') lines.push(word)
  }
  return lines
}

/** A bar of `width` signs. */
export function bar(share: number, width: number, live: boolean): string {
  const done = live ? '█' : '#'
  const open = live ? '░' : '.'
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width)
  return done.repeat(filled) + open.repeat(width - filled)
}
