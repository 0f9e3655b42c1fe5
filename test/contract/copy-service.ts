import type { HttpClient } from '../../src/http.ts'
import { silentLog } from '../../src/log.ts'
import { systemClock } from '../../src/main/system-clock.ts'
import { createCopyService } from '../../src/openstack/cinder-copies.ts'
import type { CopyService } from '../../src/openstack/cinder-copies.ts'
import { SecretText } from '../../src/openstack/secret-text.ts'
import { createSession } from '../../src/openstack/session.ts'
import type { CloudTarget } from './cloud-target.ts'

/** The product's own client for copies, as a plain member. */
export function copyServiceOn(cloud: CloudTarget, http: HttpClient): CopyService {
  const session = createSession({
    http,
    credentials: {
      authUrl: cloud.authUrl,
      auth: {
        kind: 'applicationCredential',
        credential: { id: cloud.operator.id },
        secret: new SecretText(cloud.operator.secret),
      },
      interface: 'public',
      endpointOverrides: {},
      tls: { insecure: false },
    },
    clock: systemClock,
    random: () => 0.5,
    log: silentLog,
  })
  return createCopyService({ session, log: silentLog })
}
