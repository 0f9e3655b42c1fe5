/** The version in a URL of the block storage API before 3, which is another API. */
export const OLD_API = /\/v[12](?:\.\d+)?(?=\/|$)/
