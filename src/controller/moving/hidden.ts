import type { Intent } from '../../api/volume-migration.ts'

/**
 * Why a 404 says nothing about the volume of that move: Cinder shows a project only its own. undefined when it does, or
 * when the intent is of a version that noted no project.
 */
export function hiddenFrom(
  projectId: string,
  intent: Pick<Intent, 'projectId'> | undefined,
): string | undefined {
  const began = intent?.projectId
  if (began === undefined || began === projectId) return undefined
  return (
    `the credential belongs to project ${projectId}, which Cinder does not show the volume of this move: ` +
    `give CoucheStor a credential of project ${began} again`
  )
}
