import type { VolumeMigration } from '../../api/volume-migration.ts'
import { messageOf } from '../../errors.ts'
import { PERSISTENT_VOLUME_CLAIM, STORAGE_POLICY } from '../../kube/resources.ts'
import { ApiError } from '../../kube/types.ts'
import type { KubeObject } from '../../kube/types.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Policies } from '../view/policies.ts'
import { projectClaim } from '../view/projections.ts'
import type { Claim } from '../view/projections.ts'
import type { Targets, Untargeted } from '../view/targets.ts'

/** Ties a move to the claim that is there when it is accepted: the name alone may mean another claim tomorrow. */
export class Acceptance {
  readonly #parts: {
    readonly deps: ControllerDeps
    readonly targets: Targets
    readonly policies: Policies
  }

  constructor(parts: { deps: ControllerDeps; targets: Targets; policies: Policies }) {
    this.#parts = parts
  }

  /** The claim whose uid is to be saved; undefined = it is known already. Asked of the API server, since a watch may lag behind. */
  async claimOf(m: VolumeMigration): Promise<Claim | Untargeted | undefined> {
    if (m.spec.claim.uid !== undefined || m.status?.claimUid !== undefined) return undefined
    let claim: Claim | undefined
    try {
      claim = await this.#read(m)
    } catch (e) {
      return unreadable(m, e)
    }
    if (claim === undefined) return missing(m)
    if (Date.parse(claim.createdAt) > Date.parse(m.metadata.creationTimestamp ?? ''))
      return {
        over: true,
        reason: 'ClaimMismatch',
        message: `claim ${claim.name} was created after the move was; name its uid in spec.claim.uid to mean this claim`,
      }
    return claim
  }

  /** What was saved, if the uid of the claim is in it. */
  kept(saved: VolumeMigration, claim: Claim): VolumeMigration | Untargeted {
    return saved.status?.claimUid === undefined ? notKept(claim) : saved
  }

  /** True when the watches show claim and policy as the API server has them: then what speaks against the move is final. */
  async isCurrent(m: VolumeMigration): Promise<boolean> {
    const shown = this.#parts.targets.claimOf(m)
    const claim = await this.#read(m)
    if (claim?.uid !== shown?.uid || claim?.volumeName !== shown?.volumeName) return false
    const policy = await this.#parts.deps.kube.get(STORAGE_POLICY, m.spec.policy).catch(orNothing)
    return policy?.metadata.generation === this.#parts.policies.get(m.spec.policy)?.generation
  }

  async #read({ metadata, spec }: VolumeMigration): Promise<Claim | undefined> {
    const { kube } = this.#parts.deps
    const found = await kube
      .get<KubeObject>(PERSISTENT_VOLUME_CLAIM, spec.claim.name, metadata.namespace)
      .catch(orNothing)
    return found && projectClaim(found)
  }
}

/** Only a 404 says that it is not there. */
function orNothing(e: unknown): undefined {
  if (e instanceof ApiError && e.status === 404) return undefined
  throw e
}

function missing({ spec }: VolumeMigration): Untargeted {
  return {
    over: true,
    reason: 'ClaimMismatch',
    message: `claim ${spec.claim.name} does not exist in this namespace`,
  }
}

function unreadable({ spec }: VolumeMigration, e: unknown): Untargeted {
  return {
    over: false,
    reason: 'ClaimMismatch',
    message: `claim ${spec.claim.name} cannot be read, so it is not known which one is meant: ${messageOf(e)}`,
  }
}

/** A field that the CRD does not have is dropped in silence. */
function notKept({ name, uid }: Claim): Untargeted {
  return {
    over: false,
    reason: 'ClaimMismatch',
    message: `the CRD of VolumeMigration is older than the controller and keeps no status.claimUid: apply the CRDs of this version, or create the move with spec.claim: {name: ${name}, uid: ${uid}}`,
  }
}
