import { command } from '../command.ts'

// The lab's services listen on 127.0.0.1 of the machine, and its catalog and env say so. A pod has a network namespace of its
// own, so that two can have port 8080 and rules can be theirs; there, these ports of 127.0.0.1 lead to the machine's.
const LAB_PORTS = [5000, 6443, 8041, 8774, 8776, 8778, 9090, 9091, 9283]
const BRIDGE = 'labkubelet'
/** The machine, as a pod sees it. */
export const GATEWAY = '10.88.0.1'
const PREFIX = 'labkubelet-'
const SERVICE_OF_API = '10.96.0.1'

/** A network namespace with one address on the bridge. */
export type Network = { readonly namespace: string; readonly ip: string }

const used = new Set<number>()

const ip = (...args: string[]): Promise<string> => command('ip', args)

/** Makes the bridge; what an earlier kubelet left behind goes first. */
export async function openNetwork(): Promise<void> {
  await closeNetwork()
  await ip('link', 'add', BRIDGE, 'type', 'bridge')
  await ip('addr', 'add', `${GATEWAY}/24`, 'dev', BRIDGE)
  await ip('link', 'set', BRIDGE, 'up')
  await command('sysctl', ['-qw', `net.ipv4.conf.${BRIDGE}.route_localnet=1`])
  await nft(`
table ip ${BRIDGE} {
  chain to_the_machine {
    type nat hook prerouting priority -100
    iifname "${BRIDGE}" ip daddr ${GATEWAY} dnat to 127.0.0.1
  }
}`)
}

export async function closeNetwork(): Promise<void> {
  const names = (await ip('netns', 'list')).split('\n').map((line) => line.split(' ')[0] ?? '')
  for (const name of names.filter((n) => n.startsWith(PREFIX))) await ip('netns', 'del', name)
  await nft(`table ip ${BRIDGE}\ndelete table ip ${BRIDGE}`)
  const links = await ip('-o', 'link', 'show')
  if (links.includes(` ${BRIDGE}:`)) await ip('link', 'del', BRIDGE)
}

/** A namespace called after `name` (at most 12 characters of it), on the bridge, from which the lab's services can be reached. */
export async function addNetwork(name: string): Promise<Network> {
  const number = freeNumber()
  const network = { namespace: `${PREFIX}${name.slice(0, 12)}`, ip: `10.88.0.${number}` }
  try {
    await connect(network, outside(number))
  } catch (e) {
    // whole or not at all: the next try takes the same name
    await ip('netns', 'del', network.namespace).catch(() => {})
    used.delete(number)
    throw e
  }
  return network
}

async function connect({ namespace, ip: address }: Network, link: string): Promise<void> {
  await ip('netns', 'add', namespace)
  const inside = (...args: string[]): Promise<string> => ip('-n', namespace, ...args)
  await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace)
  await ip('link', 'set', link, 'master', BRIDGE, 'up')
  await inside('addr', 'add', `${address}/24`, 'dev', 'eth0')
  for (const device of ['lo', 'eth0']) await inside('link', 'set', device, 'up')
  await inside('route', 'add', 'default', 'via', GATEWAY)
  const sysctl = ['sysctl', '-qw', 'net.ipv4.conf.all.route_localnet=1']
  await ip('netns', 'exec', namespace, ...sysctl, 'net.ipv4.ip_unprivileged_port_start=0')
  await nft(
    `
table ip lab {
  chain out {
    type nat hook output priority -100
    ip daddr 127.0.0.1 tcp dport { ${LAB_PORTS.join(', ')} } dnat to ${GATEWAY}
    ip daddr ${SERVICE_OF_API} tcp dport 443 dnat to ${GATEWAY}:6443
  }
  chain source {
    type nat hook postrouting priority 100
    oifname "eth0" masquerade
  }
}`,
    namespace,
  )
}

export async function removeNetwork({ namespace, ip: address }: Network): Promise<void> {
  const number = Number(address.split('.')[3])
  // the kernel takes a namespace apart when it has time, and the next pod may want the device's name at once
  await ip('link', 'del', outside(number))
  await ip('netns', 'del', namespace)
  used.delete(number)
}

/** The device on the bridge that leads to the pod with that number. */
const outside = (number: number): string => `lk${number}`

/** Loads a ruleset, on the machine or in a namespace. */
export async function nft(rules: string, namespace?: string): Promise<void> {
  const input = `${rules}\n`
  if (namespace === undefined) await command('nft', ['-f', '-'], { input })
  else await command('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], { input })
}

function freeNumber(): number {
  for (let n = 2; n < 255; n++)
    if (!used.has(n)) {
      used.add(n)
      return n
    }
  throw new Error('no address is free for another pod')
}
