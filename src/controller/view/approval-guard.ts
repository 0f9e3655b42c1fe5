import { messageOf } from '../../errors.ts'
import { VALIDATING_ADMISSION_POLICY } from '../../kube/resources.ts'
import type { ControllerDeps } from '../deps.ts'

const ACCEPT = 'admission.accept_plain_rbac: true in config.yaml accepts plain RBAC instead'

/**
 * Whether an approval and couchestor.io/force-tier count. Both are fields that anyone allowed to edit the object can set; only a
 * ValidatingAdmissionPolicy, which Kubernetes has since 1.30, asks whether the person may. Without it neither starts a
 * move, unless config.yaml accepts that. An API server that could not be asked is treated in the same way until it answers.
 */
export class ApprovalGuard {
  readonly #deps: Pick<ControllerDeps, 'kube' | 'config' | 'log'>
  #offered: boolean | undefined
  #unread = 'the API server has not been asked yet'

  constructor(deps: Pick<ControllerDeps, 'kube' | 'config' | 'log'>) {
    this.#deps = deps
  }

  /** Reads it again: API servers are upgraded. What was known stays when it cannot be read, which is thrown. */
  async refresh(): Promise<void> {
    try {
      const offered = await this.#deps.kube.serves(VALIDATING_ADMISSION_POLICY)
      if (!offered && this.#offered !== false) this.#deps.log.warn({ fix: ACCEPT }, NOT_OFFERED)
      this.#offered = offered
    } catch (e) {
      this.#unread = messageOf(e)
      throw e
    }
  }

  /** Why neither counts now; undefined = both do. */
  get refusal(): string | undefined {
    if (this.#offered === true || this.#deps.config().admission.acceptPlainRbac) return undefined
    if (this.#offered === false)
      return `the API server offers no ValidatingAdmissionPolicy (Kubernetes before 1.30), so nothing checks who set it; ${ACCEPT}`
    return `whether the API server offers ValidatingAdmissionPolicy could not be read (${this.#unread}); ${ACCEPT}`
  }
}

const NOT_OFFERED =
  'the API server offers no ValidatingAdmissionPolicy (Kubernetes before 1.30): approvals and force-tier start no move'
