#!/bin/sh
# Puts what is installed of the program $1 under the folder $2, as if that were /usr: the stripped binary,
# the manual page and the completions.
set -eu
sprof=$1
usr=$2
"$(dirname "$0")/check-linkage.sh" "$sprof"
install -d "$usr/bin" "$usr/share/man/man1" "$usr/share/bash-completion/completions" \
  "$usr/share/zsh/site-functions" "$usr/share/fish/vendor_completions.d"
install -m 755 "$sprof" "$usr/bin/sprof"
strip --strip-all --remove-section=.comment "$usr/bin/sprof"
"$sprof" manual >"$usr/share/man/man1/sprof.1"
# The shell reads it, and does not run it.
"$sprof" --generate-completion-script bash | sed '1{/^#!/d}' >"$usr/share/bash-completion/completions/sprof"
"$sprof" --generate-completion-script zsh >"$usr/share/zsh/site-functions/_sprof"
"$sprof" --generate-completion-script fish >"$usr/share/fish/vendor_completions.d/sprof.fish"
