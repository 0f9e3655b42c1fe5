import { messageOf, UserError } from '../errors.ts'
import type { Problem } from '../errors.ts'

/**
 * No stack and no JSON for a person: whatever goes wrong between here and the services is a `UserError` of one sentence.
 * What is left is a mistake of the program, whose stack is what a report needs.
 */
export async function forPeople(run: () => Promise<number>): Promise<number> {
  try {
    return await run()
  } catch (e) {
    if (e instanceof UserError) throw e
    const problem = await problemOf(e)
    if (problem === undefined) throw e
    throw new UserError('KubeUnreachable', problem.what, { fix: problem.fix, cause: e })
  }
}

/** Loaded only when something has failed. */
async function problemOf(e: unknown): Promise<Problem | undefined> {
  const { ConnectionError } = await import('../http.ts')
  const { accessProblem } = await import('../kube/access-problem.ts')
  const { CinderError } = await import('../openstack/errors.ts')
  const fix = 'try again, and see couchestor doctor'
  if (e instanceof CinderError) return { what: `Cinder refuses a request: ${messageOf(e)}`, fix }
  if (e instanceof ConnectionError) return { what: `a request got no answer: ${messageOf(e)}`, fix }
  return accessProblem(e, '')
}
