import { stated } from './blocker.ts'

/**
 * An administrator's token reaches the volumes of other projects. When such a retype fails, Cinder looks for the reservation
 * in the caller's project, does not find it, and the owner's quota stays reserved for a day.
 */
export const ownProject = stated(
  {
    OtherProject:
      'The volume belongs to another project than the credential, which an administrator can see, and must not move.',
  },
  (f: {
    /** Of the volume; undefined where Cinder does not show it. */
    readonly projectId?: string
    /** Of the credential. */
    readonly credentialProject: string
  }) => {
    // a policy of the cloud may hide it: an ordinary member sees no project but the own one
    if (f.projectId === undefined || f.projectId === f.credentialProject) return undefined
    return {
      reason: 'OtherProject',
      message: `the volume belongs to project ${f.projectId}, the credential to ${f.credentialProject}: a failed move would block that project's quota for a day. Give CoucheStor a credential of project ${f.projectId}, in an installation of its own where several projects have volumes`,
    }
  },
)
