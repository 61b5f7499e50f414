# Source of en/01_fashion_mnist.ipynb and ko/01_fashion_mnist.ipynb: edit this file, then run tools/build_course.py.

# %% [markdown] lang="en"
# # 1. A DCGAN for Fashion-MNIST, written by you
#
# **On Colab**: build the wheel once in the folder of ganvas (`pip wheel --no-deps .`), upload this notebook, open the
# file pane on the left and drop `ganvas-….whl` into it. The next cell then installs it and leaves Colab's torch alone.
# On your own computer it does nothing.

# %% [markdown] lang="ko"
# # 1. 직접 작성하는 Fashion-MNIST DCGAN
#
# **Colab에서**: ganvas 폴더에서 wheel을 한 번 만들고(`pip wheel --no-deps .`), 이 노트북을 업로드한 뒤 왼쪽 파일 창에
# `ganvas-….whl`을 끌어다 놓습니다. 그러면 다음 셀이 ganvas를 설치하며, Colab의 torch는 그대로 둡니다.
# 자신의 컴퓨터에서는 이 셀이 아무 일도 하지 않습니다.

# %%
import sys

if "google.colab" in sys.modules:
    import glob
    import subprocess
    from importlib.metadata import version
    from pathlib import Path

    Path("keep.txt").write_text(f"torch=={version('torch')}\n")
    wheel = glob.glob("ganvas-*.whl")
    assert wheel, "drop the wheel of ganvas into the file pane on the left, then run this cell again"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--constraint", "keep.txt", *wheel], check=True)

# %%
import os

import ganvas

MINUTES = float(os.environ.get("GANVAS_COURSE_MINUTES", 4))  # of training: more gives better images

print(f"ganvas {ganvas.__version__}: {MINUTES:g} minutes for the training below")
