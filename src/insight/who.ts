import { SELF_SUBJECT_REVIEW } from '../kube/resources.ts'
import { ApiError } from '../kube/types.ts'
import type { KubeClient, KubeObject } from '../kube/types.ts'

type Review = KubeObject & {
  readonly status?: { readonly userInfo?: { readonly username?: string } }
}

/** The user as the API server knows them; `unknown` where it does not say (before Kubernetes 1.28). */
export async function whoAmI(kube: KubeClient): Promise<string> {
  try {
    const review = await kube.create<Review>(SELF_SUBJECT_REVIEW, { metadata: { name: '' } })
    return review.status?.userInfo?.username ?? 'unknown'
  } catch (e) {
    if (!(e instanceof ApiError)) throw e
    return 'unknown'
  }
}
