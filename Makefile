# The targets that people use; `make help` lists them.
PREFIX ?= /usr/local
DESTDIR ?=

# The Swift runtime goes into the binary, so that it runs where no toolchain is. One set of flags
# for all release builds: a second set would build everything again.
RELEASE := -c release --static-swift-stdlib
SPROF := .build/release/sprof
# The demo runs what the tests run, so that one build serves both; `make install` builds the release.
DEBUG := .build/debug/sprof
BIN := $(DESTDIR)$(PREFIX)/bin
SHARE := $(DESTDIR)$(PREFIX)/share
INSTALLED := $(BIN)/sprof $(SHARE)/man/man1/sprof.1 $(SHARE)/bash-completion/completions/sprof \
  $(SHARE)/zsh/site-functions/_sprof $(SHARE)/fish/vendor_completions.d/sprof.fish

.PHONY: help demo test test-programs setup lint build release install uninstall deb dist bench trials \
  golden clean

help:
	@echo "make demo           build sprof, start a hung program, and ask sprof why it hangs"
	@echo "make test           lint, build, and run every test"
	@echo "make install        put sprof, its manual page and completions under PREFIX ($(PREFIX))"
	@echo "make deb dist       a Debian package, a tarball, in .build/packages"
	@echo "make test-programs  install the real programs that some tests watch"
	@echo "make lint build     check the format; build with warnings as errors"
	@echo "make bench          measure what a stop and a frame cost on this machine"
	@echo "make trials         all tests, with the random ones repeated hundreds of times"
	@echo "make golden         record the expected reports anew, to be looked at in the diff"
	@echo "make clean          remove what was built"

setup:
	@scripts/setup.sh build

demo: setup
	swift build --product sprof
	@scripts/demo.sh $(DEBUG)

test: setup
	@$(MAKE) --no-print-directory lint build
	@scripts/test.sh

test-programs:
	@scripts/setup.sh programs

lint:
	swift format lint --strict -r Sources Tests Plugins Package.swift

# By products, and not with --build-tests, which would build protoc, too: 750 files of C++.
build: setup
	swift build --product sprof
	swift build --product sprof-bench
	swift build --product sprofPackageTests

release: setup
	swift build $(RELEASE) --product sprof

install: release
	scripts/check-linkage.sh $(SPROF)
	DESTDIR=$(DESTDIR) scripts/check-owners.sh $(INSTALLED)
	install -d $(BIN) $(SHARE)/bash-completion/completions $(SHARE)/zsh/site-functions \
	  $(SHARE)/fish/vendor_completions.d $(SHARE)/man/man1
	install -m 755 -s $(SPROF) $(BIN)/sprof
	$(SPROF) manual > $(SHARE)/man/man1/sprof.1
	$(SPROF) --generate-completion-script bash > $(SHARE)/bash-completion/completions/sprof
	$(SPROF) --generate-completion-script zsh > $(SHARE)/zsh/site-functions/_sprof
	$(SPROF) --generate-completion-script fish > $(SHARE)/fish/vendor_completions.d/sprof.fish

uninstall:
	DESTDIR=$(DESTDIR) scripts/check-owners.sh $(INSTALLED)
	rm -f $(INSTALLED)

# Both take what `make install` installs.
deb: release
	scripts/deb.sh $(SPROF) .build/packages

dist: release
	scripts/dist.sh $(SPROF) .build/packages

# What it measures is built, too: sprof-bench takes the sprof beside itself.
bench: release
	swift run $(RELEASE) sprof-bench

trials: build
	SPROF_TRIALS=full scripts/test.sh

golden: setup
	SPROF_RECORD_GOLDENS=1 swift test --filter '^ProfileTests\.|Screens of programs'
	@git status --short Tests

clean:
	swift package clean
	rm -rf .build/fixtures .build/demo
