import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PlantedFault } from './faults.ts'

const SRC = join(import.meta.dirname, '..', '..', '..', 'src')

/** The source of the product's file as it is. */
export function sourceOf({ file }: PlantedFault): string {
  return readFileSync(join(SRC, file), 'utf8')
}

/** From now on, in this process only, the file is loaded with the mistake in it. Nothing of the product may be loaded yet. */
export function plant(fault: PlantedFault): void {
  const place = pathToFileURL(join(SRC, fault.file)).href
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context)
      if (url !== place) return loaded
      const source = sourceOf(fault)
      if (!source.includes(fault.text)) throw new Error(`${fault.file} has no such text`)
      return { ...loaded, source: source.replace(fault.text, () => fault.replacement) }
    },
  })
}
