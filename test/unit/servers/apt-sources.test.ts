import { expect, it } from "vitest";
import { parseDeb822, parseOneLineFormat } from "../../servers/apt-sources.js";

it("reads the one-line format with and without options", () => {
  const text = `
# deb http://example.org/commented main main
deb http://mirror.example.org/debian bookworm main contrib # and a comment
deb [ arch=amd64 signed-by=/usr/share/keyrings/own.gpg ] https://other.example.org/x stable main
deb-src http://mirror.example.org/debian bookworm main
`;
  expect(parseOneLineFormat(text)).toEqual([
    {
      uri: "http://mirror.example.org/debian",
      suites: ["bookworm"],
      components: ["main", "contrib"],
      signedBy: undefined,
    },
    {
      uri: "https://other.example.org/x",
      suites: ["stable"],
      components: ["main"],
      signedBy: "/usr/share/keyrings/own.gpg",
    },
  ]);
});

it("reads deb822 paragraphs, a key given in place, and leaves out what is off or source only", () => {
  const text = `Types: deb deb-src
# a comment between fields
URIs: http://mirror.example.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
URIs: http://off.example.org/
Suites: x
Components: main
Enabled: no

Types: deb-src
URIs: http://source.example.org/
Suites: x
Components: main
`;
  expect(parseDeb822(text)).toEqual([
    {
      uri: "http://mirror.example.org/debian",
      suites: ["bookworm", "bookworm-updates"],
      components: ["main"],
      signedBy: "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc",
    },
  ]);
});
