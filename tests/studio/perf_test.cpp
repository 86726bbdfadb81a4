#include "app/studio/canvas/canvas_view.h"
#include "app/studio/charts/chart_panel.h"
#include "app/studio/look/theme.h"
#include "app/studio/window/main_window.h"
#include "core/ops/registry.h"
#include <QApplication>
#include <QElapsedTimer>
#include <QTest>
#include <QSettings>
#include <cstdio>
using namespace fovea; using namespace fovea::studio;
int main(int argc,char**argv){ QApplication app(argc,argv); QCoreApplication::setOrganizationName("p"); applyTheme(Theme::Light);
 int n=argc>1?atoi(argv[1]):10000; int stride = 0;
 Graph g; Node in=makeNode("Input","image"); in.id=1; in.attrs.set("shape",Ints{1,3,224,224}); g.insert(in); NodeId last=1;
 for(int i=2;i<=n;++i){ Node x=makeNode(i%3==2?"Conv2d":i%3==0?"BatchNorm2d":"ReLU",std::to_string(i),{Port{last,0}}); x.id=i; if(i%3==2){x.attrs.set("kernel_size",Ints{3,3});x.attrs.set("padding",Ints{1,1,1,1});x.attrs.set("out_channels",std::int64_t{8});} g.insert(x); last=i; }
 g.setOutputs({{"o",Port{last,0}}});
 Document doc; Stage stage(doc); CanvasView view(stage); view.resize(1280,720); ChartPanel chart(stage); chart.resize(900,250); chart.show(); view.show();
 QElapsedTimer t; t.start(); doc.adopt(Model{g,{},nullptr},"x"); printf("adopt %lld ms\n",t.elapsed());

 bool ok=QTest::qWaitFor([&]{return view.isLaidOut();},60000); (void)ok;
 printf("laid out %lld ms\n",t.elapsed());
 auto frame=[&](const char*w){ QImage img(1280,720,QImage::Format_RGB32); t.restart(); int k=20; for(int i=0;i<k;++i){ view.viewport()->render(&img);} printf("%s %.2f ms (scale %.3f)\n",w,t.nsecsElapsed()/1e6/k,view.transform().m11()); };
 frame("first"); for(int i=0;i<4;++i){view.zoomBy(0.6,QPointF(640,360)); frame("zoom");} view.fitAll(); frame("fit"); for(double s: {0.02,0.05,0.1,0.2,0.3,0.43}){ view.zoomBy(s/view.transform().m11(),QPointF(640,100)); frame("at"); }
 for(int i=0;i<5;++i){ t.restart(); doc.setSide(100+i,100+i,"k"); double a=t.nsecsElapsed()/1e6; QImage img(1280,720,QImage::Format_RGB32); view.viewport()->render(&img); QCoreApplication::processEvents(); printf("side: edit %.2f ms, with paint %.2f ms\n",a,t.nsecsElapsed()/1e6);} (void)stride; return 0; }
