import { expect, it } from 'vitest'
import { runAgent } from './agent-process.ts'

it.each([
  ['--cloud-provider=aws', '--cloud-provider: "aws" is not supported; write openstack'],
  [
    '--node-name=$(NODE_NAME)',
    '--node-name: "$(NODE_NAME)" is no node name; set NODE_NAME from spec.nodeName in the pod',
  ],
  ['--ignored-disks=(', '--ignored-disks: "(" is no regular expression'],
  ['--metrics-port=99999', '--metrics-port: "99999" is not a whole number from 0 to 65535'],
  ['--log-level=loud', '--log-level: "loud" is not one of debug, info, warn, error, silent'],
  ['--nodename=n', 'unknown flag: --nodename (did you mean --node-name?)'],
])('refuses %s with the flag, the value and the fix', async (flag, message) => {
  await expect(runAgent(['--node-name=n', flag])).rejects.toThrow(message)
})
