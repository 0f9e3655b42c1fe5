import { play } from './script.ts'
import type { Outcome, Script, Step } from './script.ts'

type Options = { readonly ignored?: ReadonlySet<string>; readonly mostRuns?: number }

/** Leaves out steps, in ever smaller groups, as long as the same oracle objects. */
export async function shrink(
  script: Script,
  oracle: string,
  { mostRuns = 150, ...options }: Options = {},
): Promise<Script> {
  let { steps } = script
  let runs = 0
  const still = async (fewer: readonly Step[]): Promise<boolean> => {
    runs++
    return objects(await play({ ...script, steps: fewer }, options), oracle)
  }
  for (
    let size = Math.ceil(steps.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  )
    for (let from = 0; from < steps.length && runs < mostRuns;) {
      const fewer = steps.toSpliced(from, size)
      if (await still(fewer)) steps = fewer
      else from += size
    }
  return { ...script, steps }
}

export function objects({ violations }: Outcome, oracle: string): boolean {
  return violations.some((v) => v.oracle === oracle)
}
