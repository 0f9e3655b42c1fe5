/**
 * An ES module is linked before any of it runs: on an older Node.js, one name that a module of Node's own does not export
 * yet would end the program with a SyntaxError, and not with the sentence that says which Node.js is needed. So the
 * bundle fetches such modules where they stand in it, and what is missing is undefined.
 */
export function linkingLate(bundle: string): string {
  const late = bundle.replaceAll(
    /^import (?:(\w+)(?:, )?)?(?:\* as (\w+)|(\{[^}]*\}))? ?from "((?:node:)?[a-z0-9_/]+)";$/gm,
    (_, whole?: string, all?: string, names?: string, module?: string) => {
      const required = `require("${module}")`
      const parts = [
        ...(whole === undefined ? [] : [`${whole} = ${required}`]),
        ...(all === undefined ? [] : [`${all} = ${required}`]),
        ...(names === undefined
          ? []
          : [`${names.replaceAll(/(\w+) as (\w+)/g, '$1: $2')} = ${required}`]),
      ]
      // the line of the banner that makes `require`
      return module === 'node:module' ? _ : `var ${parts.join(', ')};`
    },
  )
  const left = /^import (?!\{ createRequire as nodeRequire \}).*$/m.exec(late)?.[0]
  if (left !== undefined) throw new Error(`the bundle still links: ${left}`)
  return late
}
