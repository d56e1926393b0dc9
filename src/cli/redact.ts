/** Parameters of a URL whose values are nobody's business. */
const secretNames = "token|password|passwd|passphrase|secret|pass|auth|key|keyfile";

const userInfo = /(\/\/)[^/?#\s]*@/g;
const secretParameters = new RegExp(`([?&](?:[\\w.-]*[._-])?(?:${secretNames})=)[^&#\\s"')]*`, "gi");

/** The text with user names, passwords and tokens of URLs replaced by `***`. */
export function redactCredentials(text: string): string {
  return text.replace(userInfo, "$1***@").replace(secretParameters, "$1***");
}
