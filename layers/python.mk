# What both kinds of build need: the runtime's version, a platform, uv, and byte code.
#
# On AWS the folders of a function are read-only, so code without byte code is compiled again at every cold start
# (1.2 s against 0.5 s, docs/adr/0003). Byte code must come from the runtime's own minor version; without that
# interpreter here the build goes on and says what it left out.
# Lambda runs python3.13 on Amazon Linux 2023 (glibc 2.34), hence manylinux_2_28; numpy has no older wheels.
POREWATCH_LAYER_PYTHON ?= 3.13
POREWATCH_LAYER_PLATFORM ?= aarch64-manylinux_2_28
ROOT := $(realpath $(HERE)..)
UV := $(firstword $(wildcard $(ROOT)/.porewatch/boot/bin/uv) uv)
COMPILER = $(shell for p in $(POREWATCH_LAYER_INTERPRETER) $(ROOT)/.venv/bin/python python$(POREWATCH_LAYER_PYTHON) \
	$${PYENV_ROOT:-$$HOME/.pyenv}/versions/$(POREWATCH_LAYER_PYTHON)*/bin/python3; do \
	"$$p" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "$(POREWATCH_LAYER_PYTHON)")' 2>/dev/null \
	&& echo "$$p" && break; done)

# With tar, because only GNU's cp keeps folders; without the extra files that macOS would put in.
define copy_tree
COPYFILE_DISABLE=1 tar -C "$(1)" -cf - --exclude __pycache__ "$(2)" | tar -C "$(3)" -xf -
endef

# In braces: one command, which a pipe can end in.
define install_wheels
{ command -v $(UV) >/dev/null || { echo "uv is not here: run 'make setup' first" >&2; exit 1; }; \
$(UV) pip install --quiet --only-binary :all: --no-deps --require-hashes --no-compile-bytecode --link-mode copy \
  --python-version $(POREWATCH_LAYER_PYTHON) --python-platform $(POREWATCH_LAYER_PLATFORM) \
  --target "$(ARTIFACTS_DIR)/python" -r $(1) && rm -rf "$(ARTIFACTS_DIR)/python/bin" "$(ARTIFACTS_DIR)/python/.lock"; }
endef

# boto3 comes with the runtime, and so must its companions: a layer that brings botocore or urllib3 alone (aws-xray-sdk
# and stripe ask for them) would meet another version of boto3.
FROM_RUNTIME := botocore|s3transfer|python-dateutil|six|urllib3
define install_beside_runtime
awk '/^[a-z]/ {keep = $$1 !~ /^($(FROM_RUNTIME))==/} keep' $(1) | $(call install_wheels,-)
endef

define byte_compile
compiler='$(COMPILER)'; \
if [ -n "$$compiler" ]; then "$$compiler" -m compileall -q --invalidation-mode unchecked-hash "$(1)"; \
else echo "no Python $(POREWATCH_LAYER_PYTHON) here: built without byte code, cold starts will be slower" >&2; fi
endef
